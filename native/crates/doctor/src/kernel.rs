//! Reads the version and the configuration of a vmlinux or a kernel module.

use std::io::Read;

use elf::{Image, ImageKind, Svma};
use flate2::read::GzDecoder;
use memchr::memmem;

/// Options that matter for profiles. A configuration has ten thousand others.
const OPTIONS: [&str; 18] = [
    "CONFIG_AUTOFDO_CLANG",
    "CONFIG_AUTOFDO_PROFILE_ACCURATE",
    "CONFIG_PROPELLER_CLANG",
    "CONFIG_CC_IS_CLANG",
    "CONFIG_CC_IS_GCC",
    "CONFIG_CC_VERSION_TEXT",
    "CONFIG_LTO_CLANG_THIN",
    "CONFIG_LTO_CLANG_FULL",
    "CONFIG_DEBUG_INFO",
    "CONFIG_DEBUG_INFO_NONE",
    "CONFIG_DEBUG_INFO_DWARF4",
    "CONFIG_DEBUG_INFO_DWARF5",
    "CONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT",
    "CONFIG_DEBUG_INFO_REDUCED",
    "CONFIG_DEBUG_INFO_SPLIT",
    "CONFIG_DEBUG_INFO_COMPRESSED_ZLIB",
    "CONFIG_DEBUG_INFO_COMPRESSED_ZSTD",
    "CONFIG_RANDOMIZE_BASE",
];

/// Marks before and after the compressed configuration (Linux: kernel/configs.c).
const CONFIG_START: &[u8] = b"IKCFG_ST";
const CONFIG_END: &[u8] = b"IKCFG_ED";
/// Largest size of a decompressed configuration in bytes. Those of distributions have 300 kB.
const MAX_CONFIG: u64 = 16 << 20;
/// Largest size of the banner in bytes.
const MAX_BANNER: usize = 512;

/// The facts about a vmlinux or a kernel module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kernel {
    /// The line that identifies the kernel: in a vmlinux `Linux version ...`, which it prints at boot; in a module
    /// `vermagic=...`, the kernel that the module was built for.
    pub banner: Option<String>,
    /// True if the configuration is embedded (`CONFIG_IKCONFIG=y`).
    pub has_config: bool,
    /// The options that matter for profiles. Options that are not set are missing.
    pub options: Vec<ConfigOption>,
}

/// An option of the configuration, `CONFIG_NAME=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigOption {
    /// Name of the option, with `CONFIG_`.
    pub name: String,
    /// Value of the option: `y`, a number, or a string without its quotes.
    pub value: String,
}

impl Kernel {
    /// Returns the facts about a kernel or a module; `None` for other programs.
    pub(crate) fn of(image: &Image) -> Option<Self> {
        match image.kind() {
            ImageKind::Kernel => Some(Self::of_vmlinux(image)),
            ImageKind::Module => Some(Self {
                banner: vermagic(image),
                ..Self::default()
            }),
            _ => None,
        }
    }

    fn of_vmlinux(image: &Image) -> Self {
        let config = image.section(".rodata").and_then(|section| config(section.data));
        Self {
            banner: banner(image),
            has_config: config.is_some(),
            options: config.map(|text| options(&text)).unwrap_or_default(),
        }
    }
}

fn banner(image: &Image) -> Option<String> {
    let Svma(address) = image.symbol_named(b"linux_banner")?;
    let section = image.section(".rodata")?;
    let offset = usize::try_from(address.checked_sub(section.svma.0)?).ok()?;
    let rest = section.data.get(offset..)?;
    let text = rest[..rest.len().min(MAX_BANNER)].split(|byte| *byte == 0).next()?;
    let text = String::from_utf8_lossy(text).trim().to_owned();
    text.starts_with("Linux version ").then_some(text)
}

/// Returns the line `vermagic` of `.modinfo` (Linux: include/linux/moduleparam.h).
fn vermagic(image: &Image) -> Option<String> {
    let mut lines = image.section(".modinfo")?.data.split(|byte| *byte == 0);
    let line = lines.find(|line| line.starts_with(b"vermagic="))?;
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX_BANNER)]);
    Some(text.trim().to_owned())
}

/// Returns the embedded configuration. The marks may occur in other places too, so the bytes between them must be a
/// configuration.
fn config(data: &[u8]) -> Option<Vec<u8>> {
    let start = memmem::find(data, CONFIG_START)? + CONFIG_START.len();
    let len = memmem::find(&data[start..], CONFIG_END)?;
    let mut text = Vec::new();
    let mut decoder = GzDecoder::new(&data[start..start + len]).take(MAX_CONFIG);
    decoder.read_to_end(&mut text).ok()?;
    Some(text)
}

fn options(config: &[u8]) -> Vec<ConfigOption> {
    let lines = config.split(|byte| *byte == b'\n');
    let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
    let set = lines.filter_map(|line| line.split_once('='));
    set.filter(|(name, _)| OPTIONS.contains(name))
        .take(OPTIONS.len())
        .map(|(name, value)| ConfigOption {
            name: name.to_owned(),
            value: value.trim_matches('"').chars().take(MAX_BANNER).collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn embedded(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        [
            b"before",
            CONFIG_START,
            &encoder.finish().unwrap(),
            CONFIG_END,
            b"behind",
        ]
        .concat()
    }

    #[test]
    fn an_embedded_configuration_is_read() {
        let text = b"# CONFIG_DEBUG_INFO_REDUCED is not set\nCONFIG_AUTOFDO_CLANG=y\nCONFIG_OTHER=y\nCONFIG_CC_VERSION_TEXT=\"clang 22\"\n";
        let found = options(&config(&embedded(text)).unwrap());
        let found: Vec<_> = found.iter().map(|o| (o.name.as_str(), o.value.as_str())).collect();
        assert_eq!(
            found,
            [("CONFIG_AUTOFDO_CLANG", "y"), ("CONFIG_CC_VERSION_TEXT", "clang 22")]
        );
    }

    #[test]
    fn a_damaged_configuration_is_not_read() {
        let whole = embedded(b"CONFIG_AUTOFDO_CLANG=y\n");
        assert_eq!(config(b""), None);
        assert_eq!(config(b"IKCFG_STIKCFG_ED"), None);
        for end in 0..whole.len() - b"behind".len() {
            assert_eq!(config(&whole[..end]), None, "cut at {end}");
        }
        // A decompression bomb ends at the limit.
        let bomb = config(&embedded(&vec![b' '; 20 << 20])).unwrap();
        assert_eq!(bomb.len() as u64, MAX_CONFIG);
    }
}
