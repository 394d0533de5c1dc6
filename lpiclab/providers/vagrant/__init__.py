"""The `vagrant` provider: machines that Vagrant makes, by libvirt, VirtualBox or VMware."""
