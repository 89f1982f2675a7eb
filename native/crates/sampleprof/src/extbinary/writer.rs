use std::io::Write as _;
use std::num::NonZeroU64;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::section::{
    CS_NAME_TABLE, FUNC_METADATA, FUNC_OFFSET_TABLE, LBR_PROFILE, MAGIC, NAME_TABLE, PROFILE_SUMMARY,
    PROFILE_SYMBOL_LIST, flag,
};
use super::table::ENTRY_SIZE;
use crate::binary::{Encoder, VERSION};
use crate::write::{Ranked, WriteOrder, check_name};
use crate::{FunctionSamples, Profile, ProfileSummary, SymbolListEncoding, WriteError, WriteOptions, leb128};

/// Types of the sections in the order of the table, which is the order of reading. The offsets of functions are known
/// only when the functions are written, so the content of that section comes later in the file (LLVM:
/// `ExtBinaryHdrLayoutTable`).
const DEFAULT_LAYOUT: [u64; 7] = [
    PROFILE_SUMMARY,
    NAME_TABLE,
    CS_NAME_TABLE,
    FUNC_OFFSET_TABLE,
    LBR_PROFILE,
    PROFILE_SYMBOL_LIST,
    FUNC_METADATA,
];

/// Types of the sections in the split layout. This layout has two pairs of functions and offsets: one for the
/// functions with inlined functions, then one for the functions without.
const SPLIT_LAYOUT: [u64; 8] = [
    PROFILE_SUMMARY,
    NAME_TABLE,
    FUNC_OFFSET_TABLE,
    LBR_PROFILE,
    FUNC_OFFSET_TABLE,
    LBR_PROFILE,
    PROFILE_SYMBOL_LIST,
    FUNC_METADATA,
];

/// The mark of names that clang's `-funique-internal-linkage-names` made unique.
const UNIQ_SUFFIX: &[u8] = b".__uniq.";

/// Writes the header, the section table and the sections.
pub(crate) fn write(profile: &Profile, order: &WriteOrder, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    if options.split_layout && profile.flags.context_sensitive {
        return Err(WriteError::SplitContexts);
    }
    let mut symbols = symbol_list(profile, options)?;
    if !options.use_md5 {
        order.check_names(profile, 0)?;
    }
    let layout: &[u64] = if options.split_layout {
        &SPLIT_LAYOUT
    } else {
        &DEFAULT_LAYOUT
    };
    let mut file = SectionedFile::new(layout, options.compress);

    file.section(PROFILE_SUMMARY, summary_flags(profile), |out| {
        let mut encoder = Encoder::new(profile, order);
        encoder.summary(&ProfileSummary::compute(profile));
        *out = encoder.out;
    });
    file.section(NAME_TABLE, name_table_flags(profile, order, options), |out| {
        *out = name_table(profile, order, options);
    });
    let mut offsets = Vec::new();
    if options.split_layout {
        for flags in [0, flag::FLAT] {
            let has_inlinees = flags == 0;
            let chosen = |function: &FunctionSamples| function.inlinees.is_empty() != has_inlinees;
            file.section(LBR_PROFILE, flags, |out| {
                (*out, offsets) = functions(profile, order, chosen)
            });
            file.section(FUNC_OFFSET_TABLE, flags, |out| out.append(&mut offsets));
        }
    } else {
        file.section(CS_NAME_TABLE, 0, |out| {
            let mut encoder = Encoder::new(profile, order);
            encoder.contexts();
            *out = encoder.out;
        });
        file.section(LBR_PROFILE, 0, |out| {
            (*out, offsets) = functions(profile, order, |_| true)
        });
    }
    let compress_symbols = options.symbol_list == SymbolListEncoding::Compressed;
    let symbol_flags = if compress_symbols && !symbols.is_empty() {
        flag::COMPRESS
    } else {
        0
    };
    file.section(PROFILE_SYMBOL_LIST, symbol_flags, |out| out.append(&mut symbols));
    if !options.split_layout {
        let ordered = if profile.flags.context_sensitive {
            flag::ORDERED
        } else {
            0
        };
        file.section(FUNC_OFFSET_TABLE, ordered, |out| *out = offsets);
    }
    file.section(FUNC_METADATA, metadata_flags(profile), |out| {
        *out = metadata(profile, order)
    });
    Ok(file.finish())
}

/// A file whose section table is filled in as sections are appended.
struct SectionedFile<'a> {
    bytes: Vec<u8>,
    table: usize,
    layout: &'a [u64],
    /// For each row of the table, true if it is filled in.
    filled: Vec<bool>,
    compress: bool,
}

impl<'a> SectionedFile<'a> {
    fn new(layout: &'a [u64], compress: bool) -> Self {
        let mut bytes = Vec::new();
        leb128::push(&mut bytes, MAGIC);
        leb128::push(&mut bytes, VERSION);
        bytes.extend_from_slice(&(layout.len() as u64).to_le_bytes());
        let table = bytes.len();
        bytes.resize(table + layout.len() * ENTRY_SIZE, 0);
        Self {
            bytes,
            table,
            layout,
            filled: vec![false; layout.len()],
            compress,
        }
    }

    /// Appends the next section of the type `section_type` in the layout. `encode` is given an empty vector and
    /// appends the content of the section to it.
    fn section(&mut self, section_type: u64, flags: u64, encode: impl FnOnce(&mut Vec<u8>)) {
        let flags = if self.compress { flags | flag::COMPRESS } else { flags };
        let start = self.bytes.len();
        let mut content = Vec::new();
        encode(&mut content);
        if flags & flag::COMPRESS == 0 {
            self.bytes.append(&mut content);
        } else if !content.is_empty() {
            // An empty section stays empty, even if its flags say that it is compressed.
            push_compressed(&mut self.bytes, &content);
        }
        let rows = self.layout.iter().zip(&self.filled);
        let mut rows = rows
            .enumerate()
            .filter(|(_, (other, filled))| **other == section_type && !**filled);
        let slot = rows.next().map_or(0, |(slot, _)| slot);
        self.filled[slot] = true;
        let size = self.bytes.len() - start;
        let entry = [section_type, flags, start as u64, size as u64];
        for (field, value) in entry.into_iter().enumerate() {
            let at = self.table + slot * ENTRY_SIZE + field * 8;
            self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
    }

    fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Appends both sizes, then a zlib stream.
fn push_compressed(out: &mut Vec<u8>, content: &[u8]) {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(content.len() / 2), Compression::best());
    let compressed = encoder
        .write_all(content)
        .and_then(|()| encoder.finish())
        .expect("writing to a Vec cannot fail");
    leb128::push(out, content.len() as u64);
    leb128::push(out, compressed.len() as u64);
    out.extend_from_slice(&compressed);
}

fn summary_flags(profile: &Profile) -> u64 {
    let flags = profile.flags;
    [
        (flags.partial, flag::PARTIAL),
        (flags.context_sensitive, flag::FULL_CONTEXT),
        (flags.fs_discriminators, flag::FS_DISCRIMINATOR),
        (flags.pre_inlined, flag::PRE_INLINED),
    ]
    .into_iter()
    .filter(|&(set, _)| set)
    .fold(0, |all, (_, flag)| all | flag)
}

fn name_table_flags(profile: &Profile, order: &WriteOrder, options: &WriteOptions) -> u64 {
    if options.use_md5 {
        return flag::MD5_NAME | flag::FIXED_LENGTH_MD5;
    }
    let finder = memchr::memmem::Finder::new(UNIQ_SUFFIX);
    let unique = |text: &[u8]| finder.find(text).is_some();
    let any = order
        .names
        .iter()
        .any(|&id| profile.names.get(id).text().is_some_and(unique));
    if any { flag::UNIQ_SUFFIX } else { 0 }
}

fn name_table(profile: &Profile, order: &WriteOrder, options: &WriteOptions) -> Vec<u8> {
    let mut encoder = Encoder::new(profile, order);
    if options.use_md5 {
        // The hashes are in the order of the names, so that a name has the same index as without MD5.
        encoder.number(order.names.len() as u64);
        for &id in &order.names {
            encoder
                .out
                .extend_from_slice(&profile.names.get(id).guid().to_le_bytes());
        }
    } else {
        encoder.names();
    }
    encoder.out
}

/// Writes the functions for which `chosen` returns true, and the table of their offsets.
fn functions(profile: &Profile, order: &WriteOrder, chosen: impl Fn(&FunctionSamples) -> bool) -> (Vec<u8>, Vec<u8>) {
    let mut encoder = Encoder::new(profile, order);
    let mut starts = Vec::with_capacity(profile.functions.len());
    for function in order.functions(profile).filter(|function| chosen(function.function)) {
        starts.push((function.rank, encoder.out.len() as u64));
        encoder.top_level(function);
    }
    if profile.flags.context_sensitive {
        // In this order compilers find the longer contexts that begin with the context of a function right after that
        // function.
        starts.sort_unstable();
    }
    let mut offsets = Vec::new();
    leb128::push(&mut offsets, starts.len() as u64);
    for (rank, start) in starts {
        leb128::push(&mut offsets, rank.into());
        leb128::push(&mut offsets, start);
    }
    (encoder.out, offsets)
}

/// Encodes the sorted names, each with a NUL after it, without their number (LLVM: `ProfileSymbolList::write`).
fn symbol_list(profile: &Profile, options: &WriteOptions) -> Result<Vec<u8>, WriteError> {
    let mut out = Vec::new();
    let Some(symbols) = &profile.symbols else {
        return Ok(out);
    };
    if options.symbol_list == SymbolListEncoding::Omit {
        return Ok(out);
    }
    let mut symbols = symbols.clone();
    symbols.sort_unstable_by(|&a, &b| profile.names.get(a).cmp(&profile.names.get(b)));
    symbols.dedup();
    for id in symbols {
        check_name(profile, id, 0)?;
        crate::spelling::push_name(&mut out, profile.names.get(id));
        out.push(0);
    }
    Ok(out)
}

fn metadata_flags(profile: &Profile) -> u64 {
    let probe_based = if profile.flags.probe_based {
        flag::PROBE_BASED
    } else {
        0
    };
    // As in LLVM: attributes of other profiles tell a compiler nothing.
    let has_attributes = profile.flags.pre_inlined || profile.flags.context_sensitive;
    probe_based | if has_attributes { flag::HAS_ATTRIBUTE } else { 0 }
}

/// Encodes checksums and attributes, as a tree of the same shape as the functions.
fn metadata(profile: &Profile, order: &WriteOrder) -> Vec<u8> {
    let mut encoder = Encoder::new(profile, order);
    let flags = metadata_flags(profile);
    if flags != 0 {
        for Ranked { rank, function } in order.functions(profile) {
            encoder.number(rank.into());
            own_metadata(&mut encoder, flags, function);
            // Nothing is inlined into functions with contexts, so LLVM leaves out the number of inlinees.
            if !profile.flags.context_sensitive {
                inlined_metadata(&mut encoder, flags, function);
            }
        }
    }
    encoder.out
}

fn own_metadata(encoder: &mut Encoder<'_>, flags: u64, function: &FunctionSamples) {
    if flags & flag::PROBE_BASED != 0 {
        encoder.number(function.checksum.map_or(0, NonZeroU64::get));
    }
    if flags & flag::HAS_ATTRIBUTE != 0 {
        encoder.number(function.attributes.into());
    }
}

fn inlined_metadata(encoder: &mut Encoder<'_>, flags: u64, function: &FunctionSamples) {
    encoder.number(function.inlinees.len() as u64);
    for (location, inlinee) in &function.inlinees {
        encoder.location(*location);
        encoder.name(inlinee.name);
        own_metadata(encoder, flags, inlinee);
        inlined_metadata(encoder, flags, inlinee);
    }
}
