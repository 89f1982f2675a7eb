//! Makes a profile, by lines or by pseudo probes, of call stacks and branch stacks that need not fit together. The
//! profile must not depend on the number of threads, and the written profile must be readable.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs, process};

use elf::{Code, DecodePolicy, Image, Svma};
use libfuzzer_sys::fuzz_target;
use profgen::{Format, GenerateOptions, Input, Silent, generate};

struct Program {
    path: PathBuf,
    /// Addresses of the program's instructions.
    instructions: Vec<u64>,
}

impl Program {
    fn open(fixture: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures")
            .join(fixture)
            .join("calc");
        let image = Image::open(&path).expect("the fixture is a program");
        let code = Code::new(&image, DecodePolicy::FULL).expect("the fixture has code");
        let all = code.instructions(Svma(0), Svma(u64::MAX));
        Self {
            instructions: all.map(|instruction| instruction.svma.0).collect(),
            path,
        }
    }

    /// Returns the address of an instruction, a byte inside of an instruction, or an address outside of the program.
    fn address(&self, pick: u16) -> u64 {
        match pick {
            0xff00..=0xff7f => u64::from(pick) << 32,
            0xff80..=0xffff => self.instructions[usize::from(pick) % self.instructions.len()] + 1,
            _ => self.instructions[usize::from(pick) % self.instructions.len()],
        }
    }

    /// Reads samples: the number of frames and the number of branches, then an address for each frame and two for each
    /// branch.
    fn script(&self, mut bytes: &[u8]) -> String {
        let mut text = String::new();
        while let [frames, branches, rest @ ..] = bytes {
            let mut addresses = rest
                .chunks_exact(2)
                .map(|two| self.address(u16::from_le_bytes([two[0], two[1]])));
            let mut used = 0;
            for address in addresses.by_ref().take(usize::from(*frames)) {
                text.push_str(&format!("\t{address:16x}\n"));
                used += 2;
            }
            for _ in 0..*branches {
                let (Some(from), Some(to)) = (addresses.next(), addresses.next()) else {
                    break;
                };
                text.push_str(&format!(" {from:#x}/{to:#x}/P/-/-/0"));
                used += 4;
            }
            text.push_str("\n\n");
            bytes = &rest[used..];
        }
        text
    }
}

static PROGRAMS: OnceLock<[Program; 2]> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let programs = PROGRAMS.get_or_init(|| ["calc-x86_64", "calc-probe"].map(Program::open));
    let program = &programs[usize::from(choice & 1)];
    let script = env::temp_dir().join(format!("fuzz-call-stacks-{}.script", process::id()));
    fs::write(&script, program.script(bytes)).expect("a temporary file");
    let mut options = GenerateOptions::new(&program.path, Input::PerfScript(vec![script]));
    options.format = if choice & 2 == 0 {
        Format::Text
    } else {
        Format::ExtBinary
    };
    options.csspgo_preinliner = choice & 4 == 0;
    options.gen_cs_nested_profile = choice & 8 == 0;
    options.skip_symbolization = choice & 16 != 0;
    options.compress_recursion = (choice & 32 != 0).then_some(0);
    let written = |jobs| {
        let options = GenerateOptions {
            jobs,
            ..options.clone()
        };
        generate(&options, &Silent).ok().and_then(|outcome| outcome.bytes)
    };
    let one = written(1);
    if choice & 64 != 0 {
        assert_eq!(one, written(2), "the number of threads matters");
    }
    if let Some(profile) = one.filter(|_| !options.skip_symbolization) {
        sampleprof::read(&profile, "profile").expect("what was written can be read");
    }
});
