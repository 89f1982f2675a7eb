/** clang 22 with the least flags that a user of AutoFDO needs. */
export const CLANG = 'clang-22 -O2 -g';
export const CLANGXX = 'clang++-22 -O2 -g';

/** The flags of the kernel's CONFIG_AUTOFDO_CLANG. */
export const AUTOFDO =
  '-fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true';

const ARM_LIBRARIES = '/usr/aarch64-linux-gnu/lib';
/** Links a program for AArch64 with the shared libraries of the cross compiler, where qemu finds them. */
export const ARM_DYNAMIC = `-Wl,--dynamic-linker=${ARM_LIBRARIES}/ld-linux-aarch64.so.1,-rpath,${ARM_LIBRARIES}`;
