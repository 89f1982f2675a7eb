//! Tests code that a kernel says it rewrites: each table in each layout, damaged tables, and the answers of `Code`.

mod support;

use elf::{Code, DecodePolicy, Image, PatchTableProblem, Svma};
use proptest::prelude::*;
use support::*;

/// Address of the code of the kernel. The tables lie at [`TABLE`].
const TEXT: u64 = 0xffff_ffff_8100_0000;
const TABLE: u64 = 0xffff_ffff_8300_0000;

const NOP: u8 = 0x90;
const RET: u8 = 0xc3;
const CALL: [u8; 5] = [0xe8, 0, 0, 0, 0];

/// The code `call; nop; ret`, followed by the replacement of the call.
const PATCHED: [u8; 12] = [0xe8, 0, 0, 0, 0, NOP, RET, 0xe8, 0, 0, 0, 0];
const REPLACEMENT: u64 = TEXT + 7;

const MCOUNT: (&str, &str) = ("__start_mcount_loc", "__stop_mcount_loc");
const ALTERNATIVES: (&str, &str) = ("__alt_instructions", "__alt_instructions_end");
const PARAVIRT: (&str, &str) = ("__parainstructions", "__parainstructions_end");
const JUMPS: (&str, &str) = ("__start___jump_table", "__stop___jump_table");
const STATIC_CALLS: (&str, &str) = ("__start_static_call_sites", "__stop_static_call_sites");
const RETPOLINES: (&str, &str) = ("__retpoline_sites", "__retpoline_sites_end");

/// The bytes of a table at [`TABLE`].
#[derive(Default)]
struct Entries(Vec<u8>);

impl Entries {
    fn here(&self) -> u64 {
        TABLE + self.0.len() as u64
    }

    fn relative(mut self, svma: u64) -> Self {
        let distance = svma.wrapping_sub(self.here()) as u32;
        self.0.extend(distance.to_le_bytes());
        self
    }

    fn absolute(mut self, svma: u64) -> Self {
        self.0.extend(svma.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn alternative(self, site: u64, rest: &[u8]) -> Self {
        self.relative(site).relative(REPLACEMENT).bytes(rest)
    }
}

fn entries() -> Entries {
    Entries::default()
}

fn kernel(machine: u16, text: &[u8], borders: (&str, &str), table: &Entries) -> ElfBuilder {
    ElfBuilder::new(machine)
        .text(".text", TEXT, text)
        .section(".init.data", SHT_PROGBITS, SHF_ALLOC, TABLE, &table.0)
        .symbol("_text", TEXT, 1)
        .symbol(borders.0, TABLE, 2)
        .symbol(borders.1, table.here(), 2)
}

fn x86(text: &[u8], borders: (&str, &str), table: &Entries) -> Image {
    kernel(EM_X86_64, text, borders, table).image()
}

fn code(image: &Image) -> Code<'_> {
    Code::new(image, DecodePolicy::FULL).expect("code")
}

fn passes(code: &Code<'_>, from: u64, to: u64) -> bool {
    code.is_valid_fall_through(Svma(TEXT + from), Svma(TEXT + to))
}

#[track_caller]
fn assert_call_may_be_gone(borders: (&str, &str), table: &Entries) {
    let image = x86(&PATCHED, borders, table);
    let compatible = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
    assert!(!passes(&compatible, 0, 5));
    assert!(compatible.patch_sites().is_empty());
    let code = code(&image);
    assert_eq!(code.patch_sites().problems(), []);
    assert_eq!(code.patch_sites().len(), 1);
    assert!(passes(&code, 0, 6), "{borders:?}");
    assert!(!passes(&code, 0, 7), "the return stays one");
}

#[test]
fn each_table_is_read_in_each_layout() {
    let marks = [1, 2, 3, 4, 5, 6, 7, 8];
    assert_call_may_be_gone(MCOUNT, &entries().absolute(TEXT));
    assert_call_may_be_gone(ALTERNATIVES, &entries().alternative(TEXT, &[0x91, 0x40, 5, 5]));
    assert_call_may_be_gone(ALTERNATIVES, &entries().alternative(TEXT, &[0x91, 0x40, 5, 0, 0]));
    assert_call_may_be_gone(ALTERNATIVES, &entries().alternative(TEXT, &[0x91, 0x40, 1, 0, 5, 3]));
    assert_call_may_be_gone(PARAVIRT, &entries().absolute(TEXT).bytes(&[7, 5, 0, 0, 0, 0, 0, 0]));
    assert_call_may_be_gone(PARAVIRT, &entries().absolute(TEXT).bytes(&[7, 5]));
    assert_call_may_be_gone(JUMPS, &entries().relative(TEXT).relative(TEXT + 6).bytes(&marks));
    assert_call_may_be_gone(JUMPS, &entries().absolute(TEXT).absolute(TEXT + 6).bytes(&marks));
    assert_call_may_be_gone(STATIC_CALLS, &entries().relative(TEXT).relative(TABLE + 0x100));
}

#[test]
fn the_layout_is_told_from_the_entries_where_the_size_does_not_tell() {
    // A table of 84 bytes can have seven entries of 12 bytes or six entries of 14 bytes.
    let short = |table: Entries| table.alternative(TEXT, &[0x91, 0x40, 5, 5]);
    let long = |table: Entries| table.alternative(TEXT, &[0x91, 0x40, 0, 0, 5, 5]);
    let seven = (0..7).fold(entries(), |table, _| short(table));
    let six = (0..6).fold(entries(), |table, _| long(table));
    assert_eq!(seven.0.len(), six.0.len());
    assert_call_may_be_gone(ALTERNATIVES, &seven);
    assert_call_may_be_gone(ALTERNATIVES, &six);
}

#[test]
fn code_that_becomes_a_call_jump_or_return_again_stays_a_barrier() {
    let tail = entries().relative(TEXT).relative(TABLE + 0x101);
    let retpoline = entries().relative(TEXT);
    for (borders, table) in [(STATIC_CALLS, tail), (RETPOLINES, retpoline)] {
        let image = x86(&PATCHED, borders, &table);
        let code = code(&image);
        assert_eq!((code.patch_sites().len(), code.patch_sites().problems()), (1, &[][..]));
        assert!(passes(&code, 0, 0));
        assert!(!passes(&code, 0, 5));
    }
}

#[test]
fn branches_amid_a_patched_instruction_count_for_it() {
    let text = [&CALL[..], &[NOP], &CALL, &[RET]].concat();
    let image = x86(&text, RETPOLINES, &entries().relative(TEXT));
    let code = code(&image);
    for amid in 1..5 {
        assert!(!code.is_instruction(amid));
        assert_eq!(code.source_at(amid), Some(0));
        assert_eq!(code.target_at(amid), Some(5));
    }
    for elsewhere in (6..20).chain([u32::MAX]) {
        let itself = code.is_instruction(elsewhere).then_some(elsewhere);
        assert_eq!((code.source_at(elsewhere), code.target_at(elsewhere)), (itself, itself));
    }
}

#[test]
fn nothing_stands_behind_the_last_instruction() {
    let image = x86(&CALL, RETPOLINES, &entries().relative(TEXT));
    let code = code(&image);
    assert_eq!(code.source_at(2), Some(0));
    assert_eq!(code.target_at(2), None);
}

#[test]
fn a_branch_may_come_from_what_is_no_branch_in_the_file() {
    let jump = entries().relative(TEXT + 5).relative(TEXT).bytes(&[0; 8]);
    let image = x86(&PATCHED, JUMPS, &jump);
    let code = code(&image);
    assert!(code.may_transfer_at(Svma(TEXT)), "a call");
    assert!(code.may_transfer_at(Svma(TEXT + 5)), "a NOP that is switched");
    assert!(!code.may_transfer_at(Svma(TEXT + 1)));
    assert!(!code.may_transfer_at(Svma(0)));
    let compatible = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
    assert!(!compatible.may_transfer_at(Svma(TEXT + 5)));
}

#[test]
fn arm64_has_alternatives_and_static_keys() {
    const BL: u32 = 0x9400_0000;
    const B: u32 = 0x1400_0000;
    const NOP: u32 = 0xd503_201f;
    const RET: u32 = 0xd65f_03c0;
    let text: Vec<u8> = [BL, B, NOP, RET].into_iter().flat_map(u32::to_le_bytes).collect();
    // The second alternative is a callback, so the file has no replacement for it.
    let alternatives = entries()
        .relative(TEXT)
        .relative(TEXT + 8)
        .bytes(&[5, 0, 4, 4])
        .relative(TEXT)
        .relative(0)
        .bytes(&[0xff, 0x80, 4, 0]);
    let keys = entries().relative(TEXT + 4).relative(TEXT).bytes(&[0; 8]);
    for (borders, table, [from, to]) in [(ALTERNATIVES, alternatives, [0, 4]), (JUMPS, keys, [4, 8])] {
        let image = kernel(EM_AARCH64, &text, borders, &table).image();
        let code = code(&image);
        assert_eq!(code.patch_sites().problems(), []);
        assert!(passes(&code, from, to));
        assert!(!passes(&code, 0, 8), "the other one stays");
        assert!(!passes(&code, 12, 16));
    }
}

#[test]
fn addresses_that_relocations_will_fill_in_are_no_fault() {
    let image = x86(&PATCHED, MCOUNT, &entries().absolute(0).absolute(TEXT).absolute(0));
    let code = code(&image);
    assert_eq!(code.patch_sites().problems(), []);
    assert_eq!(code.patch_sites().len(), 1);
    assert!(passes(&code, 0, 5));
}

#[test]
fn only_kernels_patch_themselves() {
    let image = ElfBuilder::new(EM_X86_64)
        .text(".text", 0x1000, &PATCHED)
        .section(".data", SHT_PROGBITS, SHF_ALLOC, 0x2000, &0x1000_u64.to_le_bytes())
        .symbol("f", 0x1000, 1)
        .symbol(MCOUNT.0, 0x2000, 2)
        .symbol(MCOUNT.1, 0x2008, 2)
        .image();
    let code = code(&image);
    assert!(code.patch_sites().is_empty());
    assert!(!code.is_valid_fall_through(Svma(0x1000), Svma(0x1005)));
    assert_eq!(code.source_at(2), None);
}

#[track_caller]
fn assert_unread(image: &Image, want: PatchTableProblem) {
    let code = code(image);
    assert_eq!(code.patch_sites().problems(), [want]);
    assert!(code.patch_sites().is_empty());
    assert!(!passes(&code, 0, 5), "as in the file");
}

#[test]
fn tables_that_make_no_sense_are_left_out() {
    let unknown = |table, size| PatchTableProblem::UnknownLayout { table, size };
    let cases = [
        (
            MCOUNT,
            entries().absolute(TEXT).bytes(&[0; 3]),
            unknown("__mcount_loc", 11),
        ),
        (MCOUNT, entries().absolute(TEXT + 0x1000), unknown("__mcount_loc", 8)),
        (MCOUNT, entries().absolute(TEXT - 1), unknown("__mcount_loc", 8)),
        (MCOUNT, entries().absolute(u64::MAX), unknown("__mcount_loc", 8)),
        (
            ALTERNATIVES,
            entries().alternative(TEXT, &[0; 11]),
            unknown(".altinstructions", 19),
        ),
        (
            ALTERNATIVES,
            entries().alternative(TEXT, &[1, 0, 0, 0]),
            unknown(".altinstructions", 12),
        ),
        (
            ALTERNATIVES,
            entries().alternative(TEXT, &[1, 0, 4, 5]),
            unknown(".altinstructions", 12),
        ),
        (
            ALTERNATIVES,
            entries().alternative(TEXT + 9, &[1, 0, 4, 0]),
            unknown(".altinstructions", 12),
        ),
        (
            PARAVIRT,
            entries().absolute(TEXT).bytes(&[7]),
            unknown(".parainstructions", 9),
        ),
        (
            STATIC_CALLS,
            entries().relative(TABLE).relative(TABLE),
            unknown(".static_call_sites", 8),
        ),
    ];
    for (borders, table, want) in cases {
        assert_unread(&x86(&PATCHED, borders, &table), want);
    }
}

#[test]
fn tables_without_bytes_in_the_file_are_left_out() {
    let missing = PatchTableProblem::NotInFile { table: "__mcount_loc" };
    let table = entries().absolute(TEXT);
    let mut builder = kernel(EM_X86_64, &PATCHED, MCOUNT, &table);
    let behind = builder.symbols.pop().expect("the border");
    assert_unread(&builder.image(), missing);
    for svma in [TABLE - 8, TABLE + 16, u64::MAX] {
        let builder = kernel(EM_X86_64, &PATCHED, (MCOUNT.0, "another"), &table);
        assert_unread(&builder.symbol(&behind.name, svma, 2).image(), missing);
    }
    // The sections have no content, as `objcopy --only-keep-debug` leaves them.
    let mut builder = kernel(EM_X86_64, &PATCHED, MCOUNT, &table);
    builder.sections[1].kind = SHT_NOBITS;
    assert_unread(&builder.image(), missing);
}

#[test]
fn an_empty_table_is_not_a_fault() {
    let image = x86(&PATCHED, MCOUNT, &entries());
    assert_eq!(code(&image).patch_sites().problems(), []);
}

#[test]
fn a_few_stray_entries_do_not_spoil_a_table() {
    let table = (0..10).fold(entries(), |table, _| table.absolute(TEXT)).absolute(TABLE);
    let image = x86(&PATCHED, MCOUNT, &table);
    let code = code(&image);
    let stray = PatchTableProblem::StrayEntries {
        table: "__mcount_loc",
        stray: 1,
        entries: 11,
    };
    assert_eq!(code.patch_sites().problems(), [stray]);
    assert!(passes(&code, 0, 5));
}

#[test]
fn a_site_amid_an_instruction_is_not_believed() {
    // The stretch begins in the NOP of two bytes and ends after the call.
    let text = [&[0x66, NOP][..], &CALL, &[NOP, RET], &CALL].concat();
    let amid = entries()
        .relative(TEXT + 1)
        .relative(TEXT + 9)
        .bytes(&[0x91, 0x40, 6, 5]);
    let image = x86(&text, ALTERNATIVES, &amid);
    assert!(!passes(&code(&image), 2, 7));
    let whole = entries().relative(TEXT).relative(TEXT + 9).bytes(&[0x91, 0x40, 7, 5]);
    let image = x86(&text, ALTERNATIVES, &whole);
    assert!(passes(&code(&image), 2, 7));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Compares with a slow walk, one instruction after the other.
    #[test]
    fn runs_pass_exactly_the_barriers_that_may_be_gone(
        instructions in prop::collection::vec((0usize..4, any::<bool>()), 1..30),
        marks in prop::collection::vec(any::<bool>(), 30),
        ends in prop::collection::vec((0usize..30, 0usize..30), 20),
    ) {
        const SHAPES: [&[u8]; 4] = [&[NOP], &CALL, &[0xeb, 0], &[0x0f, 0x1f, 0x44, 0, 0]];
        let (mut text, mut starts, mut table) = (vec![], vec![], entries());
        for &(shape, patched) in &instructions {
            starts.push(text.len() as u64);
            if patched {
                table = table.absolute(TEXT + text.len() as u64);
            }
            text.extend(SHAPES[shape]);
        }
        let mut builder = kernel(EM_X86_64, &text, MCOUNT, &table);
        for (start, _) in starts.iter().zip(marks).filter(|(_, mark)| *mark) {
            builder = builder.symbol("inner", TEXT + start, 1);
        }
        let image = builder.image();
        let code = code(&image);
        for (from, to) in ends {
            let (from, to) = (from % starts.len(), to % starts.len());
            let barrier = |&(shape, patched): &(usize, bool)| !patched && (shape == 1 || shape == 2);
            let want = from <= to && !instructions[from..to].iter().any(barrier);
            prop_assert_eq!(passes(&code, starts[from], starts[to]), want);
        }
        for (start, (shape, patched)) in starts.iter().zip(instructions) {
            for offset in 1..SHAPES[shape].len() as u64 {
                let amid = (start + offset) as u32;
                prop_assert_eq!(code.source_at(amid), patched.then_some(*start as u32));
            }
        }
    }

    #[test]
    fn any_bytes_are_survived_as_any_table(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        near in any::<bool>(),
        which in 0usize..6,
        offsets in prop::collection::vec(0u32..20, 4),
    ) {
        let borders = [MCOUNT, ALTERNATIVES, PARAVIRT, JUMPS, STATIC_CALLS, RETPOLINES][which];
        let table = if near {
            bytes.chunks_exact(9).fold(entries(), |table, rest| {
                table.relative(TEXT + u64::from(rest[0] % 16)).relative(TEXT + u64::from(rest[1] % 16)).bytes(&rest[2..6])
            })
        } else {
            Entries(bytes)
        };
        let image = x86(&PATCHED, borders, &table);
        let code = code(&image);
        let sites = code.patch_sites();
        prop_assert!(sites.problems().len() <= 1);
        prop_assert!(sites.len() <= PATCHED.len());
        for offset in offsets {
            let (source, target) = (code.source_at(offset), code.target_at(offset));
            let itself = code.is_instruction(offset);
            prop_assert!(source.is_none_or(|source| code.is_instruction(source) && (source == offset) == itself && source <= offset));
            prop_assert!(target.is_none_or(|target| code.is_instruction(target) && (target == offset) == itself && target >= offset));
        }
    }
}

/// The image has 16 bytes of padding before a function, as `CONFIG_CALL_PADDING` makes it, with the hash of
/// `CONFIG_CFI_CLANG` in the first five bytes.
#[test]
fn a_branch_into_what_is_before_a_function_goes_on_in_the_function() {
    const HASH: [u8; 5] = [0xb8, 1, 2, 3, 4];
    for (symbol, first) in [("__pfx_f", &[NOP; 5]), ("__cfi_f", &HASH)] {
        let text = [&[RET][..], first, &[NOP; 11], &[NOP, RET]].concat();
        let builder = |symbol: &str, preamble: u64| {
            ElfBuilder::new(EM_X86_64)
                .text(".text", TEXT, &text)
                .symbol("before", TEXT, 1)
                .symbol(symbol, TEXT + preamble, 1)
                .symbol("f", TEXT + 17, 1)
        };
        let image = builder(symbol, 1).image();
        let code = code(&image);
        for inside in 1..17 {
            assert_eq!(code.target_at(inside), Some(17), "{symbol} {inside}");
            assert_eq!(code.function_of_preamble(inside), Some(17));
        }
        for outside in [0, 17, 18, 19, u32::MAX] {
            assert_eq!(code.function_of_preamble(outside), None, "{symbol} {outside}");
        }
        assert_eq!(
            (code.target_at(0), code.target_at(17), code.target_at(18)),
            (Some(0), Some(17), Some(18))
        );
        let compatible = Code::new(&image, DecodePolicy::LLVM_PROFGEN).expect("code");
        assert_eq!(compatible.function_of_preamble(6), None);
        // The first symbol is that of another function, and the second one lies after its function.
        for (symbol, at) in [("__pfx_g", 1), (symbol, 18)] {
            let image = builder(symbol, at).image();
            let code = self::code(&image);
            assert!(
                (0..20).all(|offset| code.function_of_preamble(offset).is_none()),
                "{symbol} {at}"
            );
        }
    }
}
