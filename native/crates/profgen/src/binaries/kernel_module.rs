//! Finds out which mapping belongs to which kernel module, and where the code of a module is in its file.

use elf::Image;

use crate::binaries::target::file_name;

/// Returns true if `mapping`, perf's name for a module, is the name of this image. perf's name is the path of
/// the file or `[name]`. `-` and `_` are the same to the kernel.
pub(crate) fn is_named(mapping: &str, image: &Image) -> bool {
    let Some(name) = image.module_name() else {
        return false;
    };
    let same = |a: u8, b: u8| a == b || (a == b'-' && b == b'_') || (a == b'_' && b == b'-');
    let mapped = name_of(mapping).as_bytes();
    mapped.len() == name.len() && mapped.iter().zip(name).all(|(&a, &b)| same(a, b))
}

/// Returns the name of the module in perf's name for it.
fn name_of(mapping: &str) -> &str {
    let bracketed = mapping.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    let name = bracketed.unwrap_or_else(|| file_name(mapping));
    let compressed = [".xz", ".zst", ".gz"];
    let name = compressed
        .iter()
        .find_map(|suffix| name.strip_suffix(suffix))
        .unwrap_or(name);
    name.strip_suffix(".ko").unwrap_or(name)
}

/// Returns a key that is the same for all of perf's names of a module and for the name of its file.
pub(crate) fn key(name: &str) -> String {
    name_of(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn perf_names_modules_by_path_or_in_brackets() {
        for name in [
            "[nls_utf8]",
            "nls_utf8.ko",
            "/lib/modules/6.1.0/kernel/fs/nls/nls_utf8.ko",
            "nls_utf8",
        ] {
            assert_eq!(name_of(name), "nls_utf8");
        }
        for suffix in ["", ".xz", ".zst", ".gz", ".xz (deleted)"] {
            assert_eq!(
                name_of(&format!("/lib/modules/6/crc32c-intel.ko{suffix}")),
                "crc32c-intel"
            );
        }
        assert_eq!(name_of("[kernel.kallsyms]_text"), "[kernel.kallsyms]_text");
    }
}
