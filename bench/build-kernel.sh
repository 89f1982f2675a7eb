#!/usr/bin/env bash
# Builds Debian's Linux 6.1 with clang-22 and DWARF 5, and a vmlinux of 175 MB, of which 75 MB are relocations.
#   bench/build-kernel.sh TREE
#   AUTOFDO_KERNEL_TREE=TREE npm run bench -- --only built-kernel
# TREE is a folder that does not exist yet. The source takes 1.5 GB, and two cores build it in ten minutes.
# Needs Debian's clang-22, lld-22, llvm-22, make, bc, flex, bison, libelf-dev, libssl-dev and zstd.
set -euo pipefail
[ $# -eq 1 ] && [ ! -e "$1" ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

# What a guest without disks, network cards and screen does not need.
without=(
  ACPI_BGRT ACPI_DOCK ACPI_NUMA AGP ATA AUDIT AUTOFS_FS BACKLIGHT_CLASS_DEVICE BLK_DEV_LOOP BPF_SYSCALL CFG80211
  CGROUPS CHECKPOINT_RESTORE CPU_FREQ CRYPTO_MANAGER DAX DEBUG_STACK_USAGE DMADEVICES DRM EFI ETHERNET EXT4_FS FB
  FTRACE FUSE_FS GPIOLIB HIBERNATION HID HOTPLUG_PCI HWMON HYPERVISOR_GUEST I2C IA32_EMULATION IKCONFIG
  INPUT_JOYSTICK INPUT_KEYBOARD INPUT_MOUSE INPUT_TOUCHSCREEN INTEGRITY INTEL_MEI IOMMU_SUPPORT IPV6
  IP_ADVANCED_ROUTER IP_MULTICAST IP_PNP ISO9660_FS JBD2 KEXEC KEYS KPROBES LEDS_CLASS MAC80211 MACINTOSH_DRIVERS
  MAILBOX MD MEDIA_SUPPORT MICROCODE MODULES MSDOS_FS NETDEVICES NETFILTER NETLABEL NETWORK_FILESYSTEMS NET_9P
  NET_SCHED NFSD NFS_FS NLS NUMA NVMEM PCCARD PCIEPORTBUS PERF_EVENTS_AMD_POWER PERF_EVENTS_INTEL_CSTATE
  PERF_EVENTS_INTEL_RAPL PERF_EVENTS_INTEL_UNCORE PINCTRL PNP_DEBUG_MESSAGES POSIX_MQUEUE POWER_SUPPLY PROFILING
  PTP_1588_CLOCK QUOTA REGULATOR RFKILL SCSI SECCOMP SECURITY SOUND SUSPEND SYSVIPC TASKSTATS TCP_CONG_ADVANCED
  THERMAL USB_SUPPORT USERFAULTFD VFAT_FS VIRTIO_MENU WATCHDOG WIRELESS WLAN X86_CPU_RESCTRL X86_MCE
  X86_PLATFORM_DEVICES XFRM
  DEBUG_INFO_NONE KERNEL_GZIP WERROR
)
with=(DEBUG_INFO_DWARF5 KALLSYMS_ALL DEVTMPFS TMPFS BLK_DEV_INITRD RANDOMIZE_BASE KERNEL_ZSTD)

apt-get download linux-source-6.1
dpkg-deb --fsys-tarfile linux-source-6.1_*.deb | tar -x --to-stdout --wildcards '*.tar.xz' | tar -xJ --strip-components=1
rm linux-source-6.1_*.deb

build() {
  make LLVM=-22 KCFLAGS=-fdebug-info-for-profiling "$@"
}
build -s defconfig
for option in "${without[@]}"; do scripts/config -d "$option"; done
for option in "${with[@]}"; do scripts/config -e "$option"; done
build -s olddefconfig
build -j"$(nproc)" vmlinux bzImage
