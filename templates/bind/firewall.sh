firewall-cmd --quiet --permanent --add-service=dns
firewall-cmd --quiet --reload
