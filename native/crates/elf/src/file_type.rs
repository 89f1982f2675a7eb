//! Names the type of a file that is not ELF, for error messages.

/// Magic numbers at the start of a file, and the type of file that each marks.
const MAGIC: &[(&[u8], &str)] = &[
    (b"#!", "a script"),
    (b"!<arch>\n", "an ar archive (static library)"),
    (b"!<thin>\n", "a thin ar archive (static library)"),
    (b"PERFILE2", "a perf.data file"),
    (b"2ELIFREP", "a big-endian perf.data file"),
    (b"\x1f\x8b", "gzip-compressed"),
    (b"\xfd7zXZ\0", "xz-compressed"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
    (b"\x04\x22\x4d\x18", "lz4-compressed"),
    (b"\x02\x21\x4c\x18", "lz4-compressed (legacy frame)"),
    (b"BZh", "bzip2-compressed"),
    (b"PK\x03\x04", "a zip archive"),
    (b"BC\xc0\xde", "LLVM bitcode"),
    (b"\xde\xc0\x17\x0b", "wrapped LLVM bitcode"),
    (b"\0asm", "a WebAssembly module"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file"),
    (b"\xce\xfa\xed\xfe", "a 32-bit Mach-O file"),
    (b"\xca\xfe\xba\xbe", "a universal Mach-O file or a Java class"),
];

/// Returns what `data` looks like. `data` does not begin with the ELF magic number.
pub(crate) fn describe(data: &[u8]) -> &'static str {
    let at = |offset: usize, magic: &[u8]| data.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    // Kernel images for boot loaders may begin with "MZ" (EFI stub), so the marks of kernel images are looked for
    // first. Linux: Documentation/arch/x86/boot.rst ("HdrS"), Documentation/arch/arm64/booting.rst ("ARM\x64").
    if at(0x202, b"HdrS") {
        return "a bzImage (compressed kernel; vmlinux is the ELF file)";
    }
    if at(0x38, b"ARM\x64") {
        return "an arm64 kernel Image (vmlinux is the ELF file)";
    }
    if data.starts_with(b"MZ") {
        return "a PE/COFF file (programs for Windows are not supported)";
    }
    if data.is_empty() {
        return "empty";
    }
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| data.starts_with(magic)) {
        return name;
    }
    let head = &data[..data.len().min(256)];
    if head
        .iter()
        .all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..))
    {
        return "text";
    }
    "not in a known file format"
}

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn names_common_mistakes() {
        assert_eq!(describe(b"#!/bin/sh\n"), "a script");
        assert_eq!(describe(b"!<arch>\n/   "), "an ar archive (static library)");
        assert_eq!(describe(b"PERFILE2\x68\0\0\0"), "a perf.data file");
        assert_eq!(describe(b"\x1f\x8b\x08\0"), "gzip-compressed");
        assert!(describe(b"MZ\x90\0").starts_with("a PE/COFF file"));
        assert_eq!(describe(b"\xcf\xfa\xed\xfe\x07"), "a Mach-O file");
        assert_eq!(describe(b""), "empty");
        assert_eq!(describe(b"hello, world\n"), "text");
        assert_eq!(describe(b"\0\x01\x02"), "not in a known file format");
    }

    #[test]
    fn kernel_images_win_over_their_efi_stub() {
        let mut image = vec![0; 0x400];
        image[..2].copy_from_slice(b"MZ");
        image[0x202..0x206].copy_from_slice(b"HdrS");
        assert!(describe(&image).starts_with("a bzImage"));
        let mut image = vec![0; 0x40];
        image[..2].copy_from_slice(b"MZ");
        image[0x38..0x3c].copy_from_slice(b"ARM\x64");
        assert!(describe(&image).starts_with("an arm64 kernel"));
    }
}
