//! Prints the code of a binary, with the source lines and pseudo probes of each instruction (LLVM: llvm-profgen's
//! `--show-disassembly-only`).

use std::io::{self, Write};

use elf::{
    Arch, DecodePolicy, ExecutableSection, Image, PSEUDO_PROBE, PSEUDO_PROBE_DESC, Svma, Symbol, canonical_name,
};
use pseudoprobe::{DecodeError, Descriptors, Guid, Probe, ProbeKind, ProbeTable, Selection, UnknownStart};
use rustc_hash::{FxHashMap, FxHashSet};
use symbolize::{Frame, FrameTable, FunctionTable, NameId};

use crate::printer::Printer;
use crate::syntax::Syntax;

/// The parts of a listing that are printed.
#[derive(Debug, Clone)]
pub struct ListingOptions {
    /// True to print the source lines after each instruction, from the innermost inlined function outwards.
    pub source_locations: bool,
    /// True to print function names without the suffixes that compilers append.
    pub canonical_names: bool,
    /// True to print the functions with pseudo probes, and the probes before each instruction.
    pub pseudo_probes: bool,
    /// Names of the symbols to list; all symbols if the list is empty.
    pub functions: Vec<String>,
    /// Syntax of the instructions.
    pub syntax: Syntax,
}

/// Column after the address in which source lines begin.
const LOCATION_COLUMN: usize = 40;

/// The binary to list, and what to show of it.
pub struct Listing<'a> {
    /// The binary, which has x86-64 code.
    pub image: &'a Image,
    /// The parts of the listing that are printed.
    pub options: &'a ListingOptions,
    /// Source lines of the binary; `None` if they are not shown.
    pub frames: Option<&'a FrameTable>,
    /// Pseudo probes of the binary; `None` if it has none.
    pub probes: Option<&'a ListedProbes<'a>>,
}

/// The pseudo probes of a binary that is listed.
pub struct ListedProbes<'i> {
    descriptors: Descriptors<'i>,
    table: ProbeTable,
}

impl<'i> ListedProbes<'i> {
    /// Reads the probes of the functions that are listed.
    ///
    /// # Errors
    /// Fails if a section of `image` with probes is damaged.
    pub fn read(image: &'i Image, functions: &FunctionTable, options: &ListingOptions) -> Result<Self, DecodeError> {
        let starts: FxHashMap<Guid, Svma> = image
            .symbol_table()
            .map(|symbol| (Guid::of(symbol.name), symbol.svma))
            .collect();
        let mut selected = FxHashMap::default();
        let mut wanted = FxHashSet::default();
        for name in &options.functions {
            let guid = Guid::of(name.as_bytes());
            if let Some(&start) = starts.get(&guid) {
                selected.insert(guid, start);
                let function = functions.entry_at(start).map(|range| functions.name(range.function));
                wanted.insert(Guid::of(function.unwrap_or(name.as_bytes())));
            }
        }
        let all = options.functions.is_empty();
        let selection = Selection {
            starts: if all { &starts } else { &selected },
            functions: (!wanted.is_empty()).then_some(&wanted),
            unknown_start: UnknownStart::FollowPrevious,
        };
        let content = |name| image.pseudo_probe_sections(name).map(|section| section.data);
        Ok(Self {
            table: ProbeTable::decode(content(PSEUDO_PROBE), &selection)?,
            descriptors: Descriptors::parse(content(PSEUDO_PROBE_DESC))?,
        })
    }

    fn name(&self, guid: Guid) -> String {
        let descriptor = self.descriptors.get(guid);
        descriptor.map_or_else(|| guid.0.to_string(), |found| to_lossy_text(found.name))
    }
}

impl Listing<'_> {
    /// Writes the listing.
    ///
    /// # Errors
    /// Returns the errors of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(probes) = self.probes.filter(|_| self.options.pseudo_probes) {
            writeln!(out, "Pseudo Probe Desc:")?;
            let mut last = None;
            for descriptor in probes.descriptors.iter() {
                if last.replace(descriptor.guid) != Some(descriptor.guid) {
                    writeln!(
                        out,
                        "GUID: {} Name: {}",
                        descriptor.guid.0,
                        to_lossy_text(descriptor.name)
                    )?;
                    writeln!(out, "Hash: {}", descriptor.checksum)?;
                }
            }
        }
        writeln!(out, "\nDisassembly of {}:", self.image.path().display())?;
        let mut printer = Printer::new(self.options.syntax, self.image.arch() == Arch::X86_64);
        for section in self.image.executable_sections() {
            let end = section.svma.0.wrapping_add(section.bytes.len() as u64);
            let name = to_lossy_text(section.name);
            write!(
                out,
                "\nDisassembly of section {name} [{:#x}, {end:#x}]:\n\n",
                section.svma.0
            )?;
            if section.has_code {
                self.write_section(&section, &mut printer, out)?;
            }
        }
        Ok(())
    }

    fn write_section(
        &self,
        section: &ExecutableSection<'_>,
        printer: &mut Printer,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let symbols = self.image.symbols();
        let first = symbols.partition_point(|symbol| symbol.section < section.index);
        let last = symbols.partition_point(|symbol| symbol.section <= section.index);
        let symbols = &symbols[first..last];
        let offset_of = |symbol: &Symbol| {
            let offset = symbol.svma.0.checked_sub(section.svma.0);
            offset.map_or(0, |offset| usize::try_from(offset).unwrap_or(usize::MAX))
        };
        for (index, symbol) in symbols.iter().enumerate() {
            let name = self.displayed_name(self.image.symbol_name(symbol));
            let wanted = &self.options.functions;
            if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted.as_bytes() == name) {
                continue;
            }
            out.write_all(b"<")?;
            out.write_all(name)?;
            out.write_all(b">:\n")?;
            let end = symbols.get(index + 1).map_or(section.bytes.len(), offset_of);
            self.write_code(section, offset_of(symbol)..end, printer, out)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn write_code(
        &self,
        section: &ExecutableSection<'_>,
        offsets: std::ops::Range<usize>,
        printer: &mut Printer,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut result = Ok(());
        let mut line = String::new();
        let policy = DecodePolicy::LLVM_PROFGEN;
        section.decode(
            self.image.arch(),
            policy,
            offsets.start,
            offsets.end,
            |offset, length, is_code| {
                if result.is_err() {
                    return;
                }
                let svma = section.svma.wrapping_add(offset as u64);
                line.clear();
                self.push_probes(svma, &mut line);
                line.push_str(&format!("{:8x}:", svma.0));
                let start = line.len();
                if is_code {
                    printer.print(&section.bytes[offset..], length, svma.0, &mut line);
                } else {
                    line.push_str("\t<unknown>");
                }
                if let Some(frames) = self.frames {
                    let printed = line.len() - start;
                    line.extend(std::iter::repeat_n(' ', LOCATION_COLUMN.saturating_sub(printed)));
                    self.push_location(frames, svma, &mut line);
                }
                line.push('\n');
                result = out.write_all(line.as_bytes());
            },
        );
        result
    }

    fn push_probes(&self, svma: Svma, line: &mut String) {
        let Some(probes) = self.probes.filter(|_| self.options.pseudo_probes) else {
            return;
        };
        for probe in probes.table.at(svma) {
            line.push_str(" [Probe]:\t");
            push_probe(probes, probe, line);
            line.push('\n');
        }
    }

    fn push_location(&self, frames: &FrameTable, svma: Svma, line: &mut String) {
        let Some(leaf) = frames.lookup(svma) else { return };
        for (depth, frame) in frames.stack(leaf).enumerate() {
            if depth > 0 {
                line.push_str(" @ ");
            }
            self.push_frame(frames, &frame, line);
        }
    }

    fn push_frame(&self, frames: &FrameTable, frame: &Frame, line: &mut String) {
        let name = |id: NameId| to_lossy_text(self.displayed_name(frames.name(id)));
        line.push_str(&name(frame.function));
        if self.options.pseudo_probes {
            line.push_str(&format!(":{}", probe_of_discriminator(frame.discriminator)));
        } else if frame.discriminator > 0 {
            line.push_str(&format!(":{}.{}", frame.line_offset, frame.discriminator));
        } else {
            line.push_str(&format!(":{}", frame.line_offset));
        }
    }

    fn displayed_name<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        if self.options.canonical_names {
            canonical_name(name)
        } else {
            name
        }
    }
}

/// Returns the index of the probe that the discriminator of a call carries (LLVM: `PseudoProbeDwarfDiscriminator`).
/// The index has fewer bits if the discriminator of the line is there, too.
fn probe_of_discriminator(discriminator: u32) -> u32 {
    const HAS_DWARF_BASE: u32 = 1 << 28;
    let mask = if discriminator & HAS_DWARF_BASE == 0 {
        0xffff
    } else {
        0x1fff
    };
    (discriminator >> 3) & mask
}

fn push_probe(probes: &ListedProbes<'_>, probe: &Probe, line: &mut String) {
    let name = probes.name(probes.table.node(probe.node).guid);
    line.push_str(&format!("FUNC: {name} Index: {}  ", probe.index));
    if probe.discriminator > 0 {
        line.push_str(&format!("Discriminator: {}  ", probe.discriminator));
    }
    let kind = match probe.kind {
        ProbeKind::Block => "Block",
        ProbeKind::IndirectCall => "IndirectCall",
        ProbeKind::DirectCall => "DirectCall",
        ProbeKind::Other(_) => "Unknown",
    };
    line.push_str(&format!("Type: {kind}  "));
    let mut callers: Vec<_> = probes.table.callers(probe.node).collect();
    callers.reverse();
    let mut separator = "Inlined: @ ";
    for (caller, call_site) in callers {
        line.push_str(&format!("{separator}{}:{call_site}", probes.name(caller)));
        separator = " @ ";
    }
}

fn to_lossy_text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
