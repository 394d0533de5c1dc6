#!/bin/sh
# Runs once, as root, on each machine that Vagrant has made: gives it its names. A machine from a box that is
# not lpiclab's own becomes like one first, in /etc and by packages, and is then rebooted.
#
# prepare.sh HOSTNAME MACHINE-ID PUBLIC-KEY "MAC …" "PACKAGE …"

set -eu
hostname=$1 machine_id=$2 public_key=$3 cards=$4 packages=$5
overlay=/tmp/lpiclab-overlay.tar
folder=/etc/lpiclab
units=/etc/systemd/system
# All is for the next boot: systemd need not read its units again after each of a hundred changes.
export SYSTEMD_OFFLINE=1

install_packages() {
    # shellcheck disable=SC2086 # one word a package
    [ "$(dpkg-query --show --showformat='${db:Status-Status}\n' $packages 2> /dev/null | grep -cx installed)" \
        -lt "$(set -- $packages && echo $#)" ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d # nothing starts because it was installed
    chmod 0755 /usr/sbin/policy-rc.d
    debconf-set-selections < /usr/lib/lpiclab/preseed
    apt-get -q update
    # shellcheck disable=SC2086 # one word a package
    apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold install $packages
    rm /usr/sbin/policy-rc.d
}

# Only the management card can be reached by Vagrant, and only by the users that it knows.
open_management() {
    sed -i -e 's/^AllowUsers .*/& vagrant/' -e 's/^KexAlgorithms .*/&,ecdh-sha2-nistp256/' "$folder/sshd_config"
    cat "$(getent passwd vagrant | cut -d : -f 6)/.ssh/authorized_keys" > "$folder/authorized_keys"
    ssh-keygen -q -t ed25519 -N '' -f "$folder/ssh_host_ed25519_key"
    mkdir -p "$units/lpiclab-sshd.socket.d"
    printf '[Socket]\nListenStream=\nListenStream=22\n' > "$units/lpiclab-sshd.socket.d/vagrant.conf"
    echo "$cards" > "$folder/cards"
    ln -sf /dev/null "$units/lpiclab-shell.service" # there is no such port
}

if [ ! -e /usr/lib/lpiclab/identify ]; then
    tar -C / -xf "$overlay"
    install_packages
    sed 's/--uid 1000 //' /usr/lib/lpiclab/customize | sh -s
    open_management
    systemctl enable --quiet lpiclab-cards.service lpiclab-dhcp.service
    [ ! -d /etc/cloud ] || touch /etc/cloud/cloud-init.disabled
    rm -f "$overlay"
    public_key=$(cat "$folder/authorized_keys"; echo "$public_key")
fi

{
    echo "hostname $hostname"
    echo "machine-id $machine_id"
    echo "$public_key" | sed 's/^/authorized-key /'
} | /usr/lib/lpiclab/identify > /dev/null
