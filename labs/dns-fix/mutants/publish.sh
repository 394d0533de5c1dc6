{# Raises the serial and waits until ns2 has followed. #}
serial=$(awk '/; serial/ {print $1}' $file)
sed -i "s/$serial/$((serial + 1))/" $file
rndc reload {{ zone }}
until dig +short @{{ machines.ns2.address }} {{ zone }} SOA | grep -q " $((serial + 1)) "; do sleep 0.2; done
