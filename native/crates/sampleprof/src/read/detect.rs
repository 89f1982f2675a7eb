//! Detects the encoding of a file.

use super::foreign::Foreign;
use crate::{Format, binary, extbinary, leb128, text};

/// The kind of a file, judged by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Sample(Format),
    Foreign(Foreign),
}

/// First bytes of formats that are not sample profiles. Numbers are in the byte order of the machine that wrote them.
const FOREIGN_MAGIC: [(&[u8], Foreign); 19] = [
    // Source: LLVM's InstrProfData.inc, INSTR_PROF_RAW_MAGIC_64 and _32.
    (b"\x81rforpl\xff", Foreign::RawInstrumentation),
    (b"\x81Rforpl\xff", Foreign::RawInstrumentation),
    (b"\xfflprofr\x81", Foreign::RawInstrumentation),
    (b"\xfflprofR\x81", Foreign::RawInstrumentation),
    // Source: LLVM's InstrProf.h, IndexedInstrProf::Magic.
    (b"\xfflprofi\x81", Foreign::IndexedInstrumentation),
    // Source: LLVM's MemProfData.inc, MEMPROF_RAW_MAGIC_64.
    (b"\x81rforpm\xff", Foreign::RawMemory),
    // Source: GCC's gcov-io.h, GCOV_DATA_MAGIC and GCOV_NOTE_MAGIC.
    (b"adcg", Foreign::Gcov),
    (b"gcda", Foreign::Gcov),
    (b"oncg", Foreign::GcovNotes),
    (b"gcno", Foreign::GcovNotes),
    // Source: Linux, tools/perf/Documentation/perf.data-file-format.txt.
    (b"PAR1", Foreign::Parquet),
    (b"PERFILE2", Foreign::PerfData),
    (b"2ELIFREP", Foreign::PerfData),
    (b"\x7fELF", Foreign::Elf),
    (b"!<arch>\n", Foreign::Archive),
    (b"!<thin>\n", Foreign::Archive),
    (b"BC\xc0\xde", Foreign::Bitcode),
    (b"\x1f\x8b", Foreign::Compressed("gzip")),
    (b"\x28\xb5\x2f\xfd", Foreign::Compressed("zstd")),
];

/// Number of bytes at the start of a text that decide about its format. No magic number is longer.
const TEXT_START: usize = 64;

pub(crate) fn detect(bytes: &[u8]) -> Encoding {
    if bytes.is_empty() {
        return Encoding::Foreign(Foreign::Empty);
    }
    if let Ok((magic, _)) = leb128::decode(&bytes[..bytes.len().min(leb128::MAX_BYTES)]) {
        const SAMPLE: u64 = binary::magic(0);
        match magic {
            binary::MAGIC => return Encoding::Sample(Format::Binary),
            extbinary::MAGIC => return Encoding::Sample(Format::ExtBinary),
            // The number 2 is LLVM's `SPF_Compact_Binary`.
            _ if magic == binary::magic(2) => return Encoding::Foreign(Foreign::CompactBinary),
            _ if magic & !0xff == SAMPLE => {
                return Encoding::Foreign(Foreign::UnknownSampleEncoding((magic & 0xff) as u8));
            }
            _ => {}
        }
    }
    if let Some((_, foreign)) = FOREIGN_MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Encoding::Foreign(*foreign);
    }
    if text::starts_like_profile(bytes) {
        return Encoding::Sample(Format::Text);
    }
    Encoding::Foreign(match bytes[..bytes.len().min(TEXT_START)].trim_ascii_start() {
        // LLVM's TextInstrProfReader accepts ":ir", ":fe", ":csir", ":entry_first" and so on.
        [b':', letter, ..] if letter.is_ascii_lowercase() => Foreign::TextInstrumentation,
        [b'{' | b'[', ..] => Foreign::Json,
        _ => Foreign::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_known_by_their_first_bytes() {
        assert_eq!(
            detect(b"\x84\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53\x67"),
            Encoding::Sample(Format::ExtBinary)
        );
        assert_eq!(
            detect(b"\xff\xe5\xd0\xb1\xf4\xc9\x94\xa8\x53"),
            Encoding::Sample(Format::Binary)
        );
        assert_eq!(detect(b"# comment\n\nmain:1:2\n"), Encoding::Sample(Format::Text));
        assert_eq!(detect(b"std::f<int, 3>:1:2"), Encoding::Sample(Format::Text));
    }

    #[test]
    fn foreign_files_are_named() {
        let foreign = |bytes: &[u8]| match detect(bytes) {
            Encoding::Foreign(foreign) => foreign,
            Encoding::Sample(format) => panic!("taken for {format:?}"),
        };
        assert_eq!(foreign(b""), Foreign::Empty);
        assert_eq!(foreign(b"\x7fELF\x02\x01\x01"), Foreign::Elf);
        assert_eq!(foreign(b"\xfflprofi\x81\x0c\0\0\0"), Foreign::IndexedInstrumentation);
        assert_eq!(foreign(b"\x81rforpl\xff\x0a\0\0\0"), Foreign::RawInstrumentation);
        assert_eq!(foreign(b"adcg*704"), Foreign::Gcov);
        assert_eq!(foreign(b"PERFILE2\x68"), Foreign::PerfData);
        assert_eq!(foreign(b"PAR1\x15\x04"), Foreign::Parquet);
        assert_eq!(
            foreign(b"# IR level Instrumentation Flag\n:ir\nmain\n"),
            Foreign::Unknown
        );
        assert_eq!(foreign(b":ir\nmain\n"), Foreign::TextInstrumentation);
        assert_eq!(foreign(b"\x82\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53"), Foreign::CompactBinary);
        assert_eq!(
            foreign(b"\x85\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53"),
            Foreign::UnknownSampleEncoding(5)
        );
        assert_eq!(foreign(b" 1: 2\n"), Foreign::Unknown);
    }
}
