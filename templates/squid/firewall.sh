firewall-cmd --quiet --permanent --add-service=squid
firewall-cmd --quiet --reload
