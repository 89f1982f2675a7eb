//! Finds the stubs of procedure linkage tables. BOLT names a stub by the symbol that it leads to.

use elf::{Arch, ExecutableSection, Image, Svma};
use rustc_hash::FxHashMap;

/// A stub of a procedure linkage table.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stub {
    pub start: Svma,
    /// Address of the word that has the address to which the stub jumps.
    pub slot: Svma,
}

/// Names of the sections with stubs, and the lengths of their entries on x86 in bytes.
const TABLES: [(&[u8], usize); 4] = [(b".plt", 16), (b".plt.got", 8), (b".plt.sec", 16), (b".iplt", 0)];

/// Returns the sections with stubs of an image, and their stubs.
pub(crate) fn tables(image: &Image) -> impl Iterator<Item = (ExecutableSection<'_>, Vec<Stub>)> {
    let arch = image.arch();
    image.executable_sections().filter_map(move |section| {
        let (_, size) = TABLES.iter().find(|(name, _)| *name == section.name)?;
        let stubs = match (arch, *size) {
            (Arch::AArch64, _) => aarch64(section.svma, section.bytes),
            (_, 0) => return None,
            (_, size) => x86(section.svma, section.bytes, size),
        };
        Some((section, stubs))
    })
}

/// Returns the words that the dynamic linker fills in, by address.
pub(crate) fn slots(image: &Image) -> FxHashMap<Svma, elf::Slot<'_>> {
    image.slots().into_iter().map(|slot| (slot.svma, slot)).collect()
}

fn x86(start: Svma, bytes: &[u8], mut size: usize) -> Vec<Stub> {
    const ENDBR: [u8; 4] = [0xf3, 0x0f, 0x1e, 0xfa];
    if size == 8 && bytes.starts_with(&ENDBR) {
        size = 16;
    }
    let stub = |(index, entry): (usize, &[u8])| {
        let mut at = 0;
        loop {
            match entry.get(at..)? {
                [0xf2, 0xff, 0x25, ..] => at += 1,
                [0xff, 0x25, a, b, c, d, ..] => {
                    let entry = start.wrapping_add((index * size) as u64);
                    let following = entry.wrapping_add(at as u64 + 6);
                    let slot = following.wrapping_add(i64::from(i32::from_le_bytes([*a, *b, *c, *d])) as u64);
                    return Some(Stub { start: entry, slot });
                }
                [0xff, 0x35, ..] => at += 6,
                [0x68, ..] => at += 5,
                rest if rest.starts_with(&ENDBR) => at += 4,
                _ => return None,
            }
        }
    };
    bytes.chunks_exact(size).enumerate().filter_map(stub).collect()
}

/// Finds stubs of `adrp`, `ldr`, `add` and `br`, with or without `bti` before them. `nop` stands between stubs.
fn aarch64(start: Svma, bytes: &[u8]) -> Vec<Stub> {
    const NOP: u32 = 0xd503_201f;
    let (mut found, mut entry) = (Vec::new(), None);
    let (mut page, mut slot) = (None, None);
    for (index, word) in bytes.chunks_exact(4).enumerate() {
        let word = u32::from_le_bytes(word.try_into().unwrap_or_default());
        let at = start.wrapping_add(4 * index as u64);
        if entry.is_none() && word == NOP {
            continue;
        }
        let first = *entry.get_or_insert(at);
        if word & 0x9f00_0000 == 0x9000_0000 {
            let pages = (word >> 5 & 0x7_ffff) << 2 | word >> 29 & 3;
            let distance = i64::from((pages << 11) as i32 >> 11) << 12;
            page = Some((at.0 & !0xfff).wrapping_add(distance as u64));
        } else if word & 0xffc0_0000 == 0xf940_0000 {
            slot = page.map(|page| Svma(page.wrapping_add(u64::from(word >> 10 & 0xfff) * 8)));
        } else if word & 0xffff_fc1f == 0xd61f_0000 {
            found.extend(slot.map(|slot| Stub { start: first, slot }));
            (entry, page, slot) = (None, None, None);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stubs_of_both_architectures() {
        let mut bytes = vec![
            0xff, 0x35, 0xe2, 0x2f, 0, 0, 0xff, 0x25, 0xe4, 0x2f, 0, 0, 0x0f, 0x1f, 0x40, 0,
        ];
        bytes.extend([
            0xff, 0x25, 0xe2, 0x2f, 0, 0, 0x68, 0, 0, 0, 0, 0xe9, 0xe0, 0xff, 0xff, 0xff,
        ]);
        let stub = |start, slot| Stub {
            start: Svma(start),
            slot: Svma(slot),
        };
        assert_eq!(
            x86(Svma(0x1020), &bytes, 16),
            [stub(0x1020, 0x4010), stub(0x1030, 0x4018)]
        );
        let with_endbr = [
            0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25, 0x75, 0x2f, 0, 0, 0x0f, 0x1f, 0x44, 0, 0,
        ];
        assert_eq!(x86(Svma(0x1040), &with_endbr, 8), [stub(0x1040, 0x3fc0)]);
        let words: [u32; 5] = [0xd503_201f, 0x9000_0090, 0xf947_ce11, 0x913e_6210, 0xd61f_0220];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(aarch64(Svma(0x5cc), &bytes), [stub(0x5d0, 0x1_0f98)]);
    }
}
