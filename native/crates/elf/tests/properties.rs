//! Tests generated images: hostile images cause no panic, and lazy decoding equals eager decoding.

mod support;

use std::path::Path;

use elf::{Code, DecodePolicy, Image, Instruction, Svma};
use proptest::prelude::*;
use support::*;

const BASE: u64 = 0x1000;

/// Builds an image of one section of `bytes`, with symbols at the given offsets.
fn built(machine: u16, bytes: &[u8], symbols: &[u16]) -> ElfBuilder {
    let start = ElfBuilder::new(machine).text(".text", BASE, bytes);
    symbols.iter().fold(start, |elf, &offset| {
        let name = ["f", "$d", "$x", "g"][usize::from(offset) % 4];
        elf.symbol(name, BASE + u64::from(offset), 1)
    })
}

fn all(code: &Code<'_>) -> Vec<Instruction> {
    code.instructions(Svma(0), Svma(u64::MAX)).collect()
}

/// Calls every function of `Image` and `Code`, and accepts any answer.
fn use_everything(image: &Image) {
    let _ = (
        image.build_id(),
        image.preferred_base(),
        image.first_loadable_address(true),
        image.has_fs_discriminators(),
    );
    let _ = (
        image.has_pseudo_probes(),
        image.section(".text"),
        image.symbol_named(b"f"),
        image.code_symbols().count(),
    );
    for symbol in image.symbols() {
        let _ = image.symbol_name(symbol);
    }
    for policy in [DecodePolicy::LLVM_PROFGEN, DecodePolicy::FULL] {
        let Ok(code) = Code::new(image, policy) else { continue };
        for offset in (0..300).chain([code.span().wrapping_sub(1), code.span(), u32::MAX]) {
            let _ = code.is_instruction(offset);
        }
        let _ = code.is_valid_fall_through(code.base(), Svma(u64::MAX));
        let _ = (all(&code).len(), code.invalid_instructions().len());
    }
}

fn machine() -> impl Strategy<Value = u16> {
    prop_oneof![Just(EM_X86_64), Just(EM_AARCH64)]
}

proptest! {
    #[test]
    fn mutated_images_never_panic(
        machine in machine(),
        text in proptest::collection::vec(any::<u8>(), 0..64),
        symbols in proptest::collection::vec(0_u16..80, 0..6),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let note = gnu_note(3, &[7; 20]);
        let mut bytes = built(machine, &text, &symbols).section(".note", SHT_NOTE, SHF_ALLOC, 0x200, &note).build();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(image) = Image::from_bytes(bytes, Path::new("mutated")) {
            use_everything(&image);
        }
    }

    #[test]
    fn random_bytes_behind_an_elf_header_never_panic(tail in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut bytes = ElfBuilder::new(EM_X86_64).build();
        bytes.truncate(24);
        bytes.extend(tail);
        if let Ok(image) = Image::from_bytes(bytes, Path::new("random")) {
            use_everything(&image);
        }
    }

    #[test]
    fn lazy_answers_equal_eager_ones(
        machine in machine(),
        full in any::<bool>(),
        text in proptest::collection::vec(any::<u8>(), 1..200),
        symbols in proptest::collection::vec(0_u16..210, 1..8),
        questions in proptest::collection::vec((0_u64..220, 0_u64..220), 1..20),
    ) {
        let image = built(machine, &text, &symbols).image();
        let policy = if full { DecodePolicy::FULL } else { DecodePolicy::LLVM_PROFGEN };
        let eager = all(&Code::new(&image, policy).expect("code"));
        let lazy = Code::new(&image, policy).expect("code");
        for (a, b) in questions {
            let (from, through) = (Svma(BASE + a - 10), Svma(BASE + b - 10));
            let inside = |svma: Svma| from <= svma && svma <= through;
            let at = |svma: Svma| eager.iter().find(|instruction| instruction.svma == svma);
            if let Some(offset) = from.0.checked_sub(BASE) {
                prop_assert_eq!(lazy.is_instruction(offset as u32), at(from).is_some());
            }
            prop_assert_eq!(lazy.class_at(from), at(from).map(|instruction| instruction.class));
            let got: Vec<_> = lazy.instructions(from, through).collect();
            let want: Vec<_> = eager.iter().copied().filter(|instruction| inside(instruction.svma)).collect();
            prop_assert_eq!(got, want);
            let barrier = eager.iter().any(|i| i.class.is_barrier() && from <= i.svma && i.svma < through);
            prop_assert_eq!(lazy.is_valid_fall_through(from, through), from <= through && !barrier);
        }
    }

    #[test]
    fn decoding_covers_each_chunk_without_gap(
        machine in machine(),
        text in proptest::collection::vec(any::<u8>(), 1..200),
        symbols in proptest::collection::vec(0_u16..200, 1..8),
    ) {
        let image = built(machine, &text, &symbols).image();
        let code = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
        let mut covered = vec![false; text.len() + 16];
        let mut cover = |from: u64, to: u64| (from - BASE..to - BASE).for_each(|offset| covered[offset as usize] = true);
        all(&code).iter().for_each(|found| cover(found.svma.0, found.svma.0 + u64::from(found.length)));
        code.invalid_instructions().iter().for_each(|run| cover(run.0.0, run.1.0 + 1));
        let first = symbols.iter().copied().map(usize::from).filter(|&offset| offset < text.len()).min();
        for (offset, &covered) in covered[..text.len()].iter().enumerate() {
            prop_assert_eq!(covered, first.is_some_and(|first| first <= offset), "{}", offset);
        }
    }
}
