//! Compares the speed of this crate's reader with that of gimli's on one file: prints both times and their ratio.
//!
//! `cargo bench -p dwarf -- FILE`; without a file, it measures a fixture. Both readers look for the same DIEs, and
//! run the same line programs.

use std::hint::black_box;
use std::time::{Duration, Instant};

use dwarf::{AbbreviationTable, FaultNote, Interest, LineIndex, Skip, Slice, Space, Unit, read_units, walk};
use gimli::{Dwarf, DwarfFileType, EndianSlice, LittleEndian, SectionId, constants as dw};
use object::{Object, ObjectSection};

/// Number of repetitions of each reading. The fastest time counts.
const ROUNDS: usize = 15;

/// Counts the DIEs with `DW_TAG_subprogram` and `DW_TAG_inlined_subroutine`, at which a walk stops.
fn walk_here(space: &Space<'_>, units: &[Unit]) -> usize {
    let mut table = AbbreviationTable::default();
    let mut found = 0;
    for unit in units {
        space.load_abbreviations(unit, None, &mut table);
        let is_function = |interest| interest != Interest::None;
        let bytes = space.bytes(unit);
        let visit = |_| found += 1;
        // Errors are ignored: a file that cannot be read is no input for a measurement.
        walk(
            bytes,
            unit.root,
            unit.encoding,
            &table,
            Skip::Nothing,
            is_function,
            visit,
        )
        .expect("sound DWARF");
    }
    found
}

fn walk_gimli(dwarf: &Dwarf<Slice<'_>>) -> usize {
    let mut found = 0;
    let mut units = dwarf.units();
    while let Some(header) = units.next().expect("sound DWARF") {
        let abbreviations = header.abbreviations(&dwarf.debug_abbrev).expect("sound DWARF");
        let mut entries = header.entries_raw(&abbreviations, None).expect("sound DWARF");
        while !entries.is_empty() {
            if let Some(abbreviation) = entries.read_abbreviation().expect("sound DWARF") {
                let tag = abbreviation.tag();
                found += usize::from(matches!(tag, dw::DW_TAG_subprogram | dw::DW_TAG_inlined_subroutine));
                entries.skip_attributes(abbreviation.attributes()).expect("sound DWARF");
            }
        }
    }
    found
}

fn lines_here(space: &Space<'_>, units: &[Unit]) -> usize {
    let faults = FaultNote::default();
    for unit in units {
        black_box(LineIndex::build(space, unit, &faults, |_, _| true));
    }
    assert_eq!(faults.take(), None, "sound DWARF");
    units.len()
}

/// Reads gimli's rows, and keeps two numbers of each row.
fn lines_gimli(dwarf: &Dwarf<Slice<'_>>, units: &[Unit]) -> usize {
    for unit in units {
        let Some(offset) = unit.line_program else { continue };
        let size = unit.encoding.address_size;
        let program = dwarf.debug_line.program(offset, size, None, None).expect("sound DWARF");
        let mut rows = program.rows();
        let mut kept: Vec<(u64, u64, u64)> = Vec::new();
        while let Some((_, row)) = rows.next_row().expect("sound DWARF") {
            let line = row.line().map_or(0, std::num::NonZeroU64::get);
            kept.push((row.address(), line, row.discriminator()));
        }
        black_box(kept);
    }
    units.len()
}

fn fastest(mut run: impl FnMut() -> usize) -> (Duration, usize) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        found = black_box(run());
        times.push(start.elapsed());
    }
    (times.into_iter().min().expect("a round"), found)
}

fn main() {
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let path = named.map_or_else(|| testkit::Fixture::named("shapes-cpp").program(), Into::into);
    let file = std::fs::read(&path).expect("a file");
    let elf = object::File::parse(&*file).expect("an ELF file");
    let section = |id: SectionId| -> Result<Slice<'_>, object::Error> {
        let found = elf.section_by_name(id.name());
        let data = found.map_or(Ok(&[][..]), |section| section.data())?;
        Ok(EndianSlice::new(data, LittleEndian))
    };
    let dwarf = Dwarf::load(section).expect("sections");
    let (units, error) = read_units(
        &Space::without_units(Dwarf::load(section).expect("sections")),
        DwarfFileType::Main,
    );
    assert!(
        error.is_none() && !units.is_empty(),
        "{}: no sound DWARF",
        path.display()
    );
    let space = Space::without_units(Dwarf::load(section).expect("sections"));
    let pairs = [
        (
            "DIEs of functions",
            fastest(|| walk_here(&space, &units)),
            fastest(|| walk_gimli(&dwarf)),
        ),
        (
            "line programs",
            fastest(|| lines_here(&space, &units)),
            fastest(|| lines_gimli(&dwarf, &units)),
        ),
    ];
    let mut table = format!("{}, {} units\n", path.display(), units.len());
    for (name, (here, found), (gimli, found_by_gimli)) in pairs {
        assert_eq!(found, found_by_gimli, "{name}: both readers find the same");
        let ratio = gimli.as_secs_f64() / here.as_secs_f64();
        table += &format!("{name:<20} {here:>12.1?} here, {gimli:>12.1?} gimli: {ratio:.2} times\n");
    }
    std::io::Write::write_all(&mut std::io::stdout(), table.as_bytes()).expect("standard output");
}
