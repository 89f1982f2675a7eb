#!/usr/bin/env bash
# Boots a kernel under QEMU, Debian's or your own, with a small load, and records the kernel's taken branches.
#   record-kernel.sh DIR [period=10007 kaslr=on|off loops=12 max=N depth=32 flavour=cloud-amd64 modules=A,B,FS]
#   record-kernel.sh DIR kernel=TREE [...]   an x86-64 kernel that was built in TREE (make LLVM=1 vmlinux bzImage)
# Writes DIR/perf.data, DIR/serial.log and, once, DIR/vmlinux with DWARF and DIR/vmlinuz (300 MB to
# download, 600 MB on disk). modules=A,B,FS loads these modules and the modules that they need. The last one
# is a file system, which the load uses. The script then also writes DIR/modules/*.ko with DWARF, and
# serial.log has the guest's /proc/modules and /proc/kallsyms of these modules. Examples: modules=overlay,
# and modules=crc32c_generic,ext4 with flavour=amd64. QEMU_CPU selects the CPU.
# Needs Debian's qemu-system-x86, busybox-static, cpio and gcc; a file system other than overlay needs mkfs.FS.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$1; shift
period=10007 kaslr=on loops=12 max=1000000 depth=32 flavour=cloud-amd64 modules= kernel=
for option in "$@"; do
  case $option in
    period=* | kaslr=* | loops=* | max=* | depth=* | flavour=* | modules=* | kernel=*) declare "$option" ;;
    *) echo "unknown option $option" >&2; exit 2 ;;
  esac
done
[ -z "$kernel" ] || [ -z "$modules" ] || { echo "modules= are Debian's, kernel= is not" >&2; exit 2; }
[ -z "$kernel" ] || kernel=$(realpath "$kernel")
mkdir -p "$dir"; cd "$dir"
if [ -n "$kernel" ]; then
  ln -sf "$kernel/vmlinux" vmlinux
  ln -sf "$kernel/arch/x86/boot/bzImage" vmlinuz
fi

# overlay has what it needs in tmpfs, others get a RAM disk, which is a module too.
file_system=${modules##*,}
wanted_modules() {
  [ -z "$modules" ] || [ "$file_system" = overlay ] || echo brd
  echo "${modules//,/ }"
}

# The modules named, each after those that it depends on. .modinfo says "depends=A,B".
with_dependencies() {
  local tree=$1 name file
  shift
  for name in "$@"; do
    file=$(find "$tree" -name "${name//[-_]/[-_]}.ko*" | head -1)
    [ -n "$file" ] || continue # built in
    # shellcheck disable=SC2046
    with_dependencies "$tree" $(plain "$file" | grep -aoz '^depends=.*' | tr -d '\0' | sed 's/^depends=//; s/,/ /g')
    file=${file##*/}
    echo "${file%%.ko*}"
  done
}

plain() {
  case $1 in *.xz) xz -dc "$1" ;; *) cat "$1" ;; esac
}

fetch_kernel() {
  local debug_package image_package name wanted=()
  debug_package=$(apt-cache depends "linux-image-$flavour-dbg" | awk '/Depends:/ { print $2; exit }')
  # Of the same source package; the signed image follows some days later.
  image_package=${debug_package%-dbg}-unsigned
  apt-get download "$debug_package" "$image_package"
  rm -rf modules tree; mkdir modules tree
  dpkg-deb --fsys-tarfile "$image_package"_*.deb | tar -x -C tree
  mv tree/boot/vmlinuz-* vmlinuz
  for name in $(with_dependencies tree $(wanted_modules) | awk '!seen[$0]++'); do
    echo "$name" >> modules/order
    wanted+=("*/$name.ko")
  done
  dpkg-deb --fsys-tarfile "$debug_package"_*.deb |
    tar -x -C tree --wildcards './usr/lib/debug/boot/vmlinux-*' "${wanted[@]}"
  for name in $(cat modules/order 2>/dev/null); do
    # Where the guest has it, which is what perf would record.
    (cd tree && find lib/modules -name "$name.ko*") | sed 's|^|/|; s|\.ko.*|.ko|' >> modules/paths
    mv "$(find tree/usr -name "$name.ko")" modules
  done
  mv tree/usr/lib/debug/boot/vmlinux-* vmlinux # last: its presence says that all is there
  rm -r tree ./*.deb
}

# One process, many system calls: files, pipes, forks, /proc and /sys, pseudo-random numbers.
write_initrd() {
  rm -rf root; mkdir -p root/{bin,proc,sys,dev,tmp,modules,mnt}
  cp "$(command -v busybox)" root/bin/busybox
  if [ -n "$modules" ]; then
    for name in $(cat modules/order); do strip -g -o "root/modules/$name.ko" "modules/$name.ko"; done
    cp modules/order root/modules
    if [ "$file_system" != overlay ]; then
      truncate -s 12M root/disk.img
      "mkfs.$file_system" root/disk.img > mkfs.log 2>&1
    fi
  fi
  cat > root/init <<INIT
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs tmp /tmp; mount -t devtmpfs dev /dev
echo "_text=\$(awk '\$3 == "_text" { print \$1 }' /proc/kallsyms)"
file_system=$file_system
if [ -n "\$file_system" ]; then
  mkdir /tmp/lower /tmp/upper /tmp/index; cp /init /tmp/lower
  for name in \$(cat /modules/order); do insmod /modules/\$name.ko; done
  awk '{ print "module=" \$1, \$2, \$6 }' /proc/modules
  awk '/\[/ { print "symbol=" \$1, \$2, \$3, \$4 }' /proc/kallsyms
  [ ! -f /disk.img ] || dd if=/disk.img of=/dev/ram0 bs=1M 2>/dev/null
  case \$file_system in
    overlay) mount -t overlay -o lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/index overlay /mnt ;;
    *) mount -t \$file_system /dev/ram0 /mnt ;;
  esac || echo "cannot mount \$file_system"
fi
for loop in \$(seq $loops); do
  find /proc /sys -maxdepth 3 2>/dev/null | sort | uniq | gzip | gunzip | md5sum >/dev/null
  dd if=/dev/urandom bs=4k count=256 2>/dev/null | sha256sum >/dev/null
  cat /proc/[0-9]*/stat /proc/meminfo /proc/vmstat >/dev/null 2>&1
  for file in 1 2 3 4 5 6 7 8; do echo \$file | cat | cat >/tmp/\$file; rm /tmp/\$file; done
  mkdir -p /tmp/a/b/c; touch /tmp/a/b/c/d; ls -laR /tmp /sys/class >/dev/null; rm -r /tmp/a
  [ -n "\$file_system" ] || continue
  cp -r /modules /mnt/copy; sync; mv /mnt/copy /mnt/\$loop; ls -laR /mnt >/dev/null
  for file in \$(seq 40); do echo \$file >/mnt/\$loop/\$file; done; cat /mnt/\$loop/* >/dev/null; rm -r /mnt/\$loop
done
poweroff -f
INIT
  chmod +x root/init
  (cd root && find . | cpio --quiet -o -H newc | gzip) > initrd.gz
  rm -r root
}

complete() {
  [ -f vmlinux ] && { [ -z "$modules" ] || [ -f "modules/$file_system.ko" ]; }
}
complete || fetch_kernel
write_initrd
# Emulated time is slow: without no_timer_check the kernel may find its timer broken.
kernel_options="console=ttyS0 panic=-1 quiet no_timer_check"
[ "$kaslr" = on ] || kernel_options+=" nokaslr"
plugin=$("$here/build-plugin.sh")
plugin_options="out=perf.data,kernel_text_log=serial.log,vmlinux=vmlinux,period=$period,max=$max,depth=$depth"
[ -z "$modules" ] || plugin_options+=",modules=modules"
timeout 900 qemu-system-x86_64 -cpu "${QEMU_CPU:-max}" -m 1024 -display none -monitor none -no-reboot -serial file:serial.log \
  -kernel vmlinuz -initrd initrd.gz -append "$kernel_options" -plugin "file=$plugin,$plugin_options" </dev/null
grep -E '_text=|module=|cannot' serial.log
