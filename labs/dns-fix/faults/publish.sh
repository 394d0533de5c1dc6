{# Raises the serial and gives ns2 some seconds to follow; it does not where its own serial is ahead. #}
serial=$(awk '/; serial/ {print $1}' $file)
sed -i "s/$serial/$((serial + 1))/" $file
rndc reload {{ zone }}
for try in {1..20}; do
    dig +short @{{ machines.ns2.address }} {{ zone }} SOA | grep -q " $((serial + 1)) " && break
    sleep 0.2
done
