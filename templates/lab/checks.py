"""Ask the kernel now, and once more after a boot."""

from lpiclab.checks import expect, task

FORWARD = "/proc/sys/net/ipv4/ip_forward"
# A network namespace of its own has its own value: trying leaves the machine as it is.
AT_BOOT = f"echo 0 > {FORWARD}; /usr/lib/systemd/systemd-sysctl --prefix=/net/ipv4/ip_forward; cat {FORWARD}"


@task("now")
def test_kernel_forwards(router):
    """The running kernel forwards IPv4 packets."""
    expect(router.file(FORWARD).content_string.strip(), "1", why="off")


@task("boot")
def test_setting_lasts(router):
    """What systemd reads at boot switches forwarding on."""
    tried = router.run("unshare --net sh -c %s", AT_BOOT)
    expect(tried.stdout.strip(), "1", why="lost")


@task("boot")
def test_setting_is_there_after_a_reboot(fork):
    """After a reboot, on a copy of the machine, the kernel forwards."""
    fork.reboot()
    expect(fork.router.file(FORWARD).content_string.strip(), "1", why="gone")
