#!/usr/bin/env bash
# Boot Debian's cloud kernel under QEMU with a small load and record the kernel's taken branches.
#   record-kernel.sh DIR [period=10007 kaslr=on|off loops=12 max=N depth=32]
# Writes DIR/perf.data, DIR/serial.log and, once, DIR/vmlinux with DWARF and DIR/vmlinuz (300 MB to
# download, 600 MB on disk). Needs Debian's qemu-system-x86, busybox-static, cpio, gcc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$1; shift
period=10007 kaslr=on loops=12 max=1000000 depth=32
for option in "$@"; do
  case $option in
    period=* | kaslr=* | loops=* | max=* | depth=*) declare "$option" ;;
    *) echo "unknown option $option" >&2; exit 2 ;;
  esac
done
mkdir -p "$dir"; cd "$dir"

fetch_kernel() {
  local debug_package
  debug_package=$(apt-cache depends linux-image-cloud-amd64-dbg | awk '/Depends:/ { print $2; exit }')
  apt-get download "$debug_package" "${debug_package%-dbg}"
  dpkg-deb --fsys-tarfile "${debug_package}"_*.deb | tar -x --wildcards --strip-components=5 './usr/lib/debug/boot/vmlinux-*'
  dpkg-deb --fsys-tarfile "${debug_package%-dbg}"_*.deb | tar -x --wildcards --strip-components=2 './boot/vmlinuz-*'
  rm ./*.deb
  mv vmlinuz-* vmlinuz
  mv vmlinux-* vmlinux # last: its presence says that all is there
}

# One process, many system calls: files, pipes, forks, /proc and /sys, pseudo-random numbers.
write_initrd() {
  rm -rf root; mkdir -p root/{bin,proc,sys,dev,tmp}
  cp "$(command -v busybox)" root/bin/busybox
  cat > root/init <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp; mount -t devtmpfs dev /dev
echo "_text=\$(awk '\$3 == "_text" { print \$1 }' /proc/kallsyms)"
for loop in \$(seq $loops); do
  find /proc /sys -maxdepth 3 2>/dev/null | sort | uniq | gzip | gunzip | md5sum >/dev/null
  dd if=/dev/urandom bs=4k count=256 2>/dev/null | sha256sum >/dev/null
  cat /proc/[0-9]*/stat /proc/meminfo /proc/vmstat >/dev/null 2>&1
  for file in 1 2 3 4 5 6 7 8; do echo \$file | cat | cat >/tmp/\$file; rm /tmp/\$file; done
  mkdir -p /tmp/a/b/c; touch /tmp/a/b/c/d; ls -laR /tmp /sys/class >/dev/null; rm -r /tmp/a
done
poweroff -f
INIT
  chmod +x root/init
  (cd root && find . | cpio --quiet -o -H newc | gzip) > initrd.gz
  rm -r root
}

[ -f vmlinux ] || fetch_kernel
write_initrd
kernel_options="console=ttyS0 panic=-1 quiet"
[ "$kaslr" = on ] || kernel_options+=" nokaslr"
plugin=$("$here/build-plugin.sh")
timeout 900 qemu-system-x86_64 -cpu max -m 1024 -display none -monitor none -no-reboot -serial file:serial.log \
  -kernel vmlinuz -initrd initrd.gz -append "$kernel_options" \
  -plugin "file=$plugin,out=perf.data,kernel_text_log=serial.log,vmlinux=vmlinux,period=$period,max=$max,depth=$depth" </dev/null
grep _text= serial.log
