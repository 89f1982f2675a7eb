/** clang 22, as a user of AutoFDO calls it at the least. */
export const CLANG = 'clang-22 -O2 -g';
export const CLANGXX = 'clang++-22 -O2 -g';

/** The flags of the kernel's CONFIG_AUTOFDO_CLANG. */
export const AUTOFDO =
  '-fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true';
