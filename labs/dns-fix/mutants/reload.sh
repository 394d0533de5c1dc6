{# Raises the serial and reloads the zone. #}
serial=$(awk '/; serial/ {print $1}' $file)
sed -i "s/$serial/$((serial + 1))/" $file
rndc reload {{ zone }}
