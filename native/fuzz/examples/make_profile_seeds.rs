//! Writes seeds of sample profiles: `cargo run --example make_profile_seeds` in this directory.

use std::fs;
use std::path::Path;

use sampleprof::{Format, WriteOptions, read, write};

/// The text that the fuzz target puts in front of its input.
const TEXT_START: &str = "f:1:1\n";
const MAGIC_AND_VERSION: usize = 10;

const LINES: &str = "main:1000:10\n 1: 10\n 2.3: 20 foo:15 bar<int, 3>:5\n 4: foo:300\n  1: 100\n  2: baz:50\n   1: 50\n \
                     4: g.__uniq.1:7\n  65535: 7\nfoo:18446744073709551615:3\n 0: 18446744073709551615\n";
const PROBES: &str = "main:10:1\n 1: 5\n 2: foo:5\n  1: 5\n  !CFGChecksum: 3\n  !Attributes: 2\n !CFGChecksum: 9\n";
const CONTEXTS: &str = "[main:1 @ foo:2.3 @ bar]:10:1\n 1: 5\n 2: 5 baz:3\n !Attributes: 2\n[main:1 @ foo]:20:2\n 1: 20\n 2.3: 7 bar:7\n[main]:7:1\n 1: 7 foo:2\n\
                        [foo]:9:3\n 1: 9\n[bar:4 @ bar:4 @ bar]:1:1\n 0: 1\n";

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let save = |target: &str, name: &str, bytes: &[u8]| {
        let directory = corpus.join(target);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(name), bytes)
    };
    for (name, start, text) in [
        ("lines", TEXT_START, LINES),
        ("probes", TEXT_START, PROBES),
        ("contexts", "", CONTEXTS),
    ] {
        save("profile_text", name, text.as_bytes())?;
        let mut profile = read(format!("{start}{text}").as_bytes(), name).expect("the seed is valid");
        let plain = WriteOptions::default();
        for (form, options) in [
            ("plain", plain),
            ("md5", WriteOptions { use_md5: true, ..plain }),
            (
                "compressed",
                WriteOptions {
                    compress: true,
                    ..plain
                },
            ),
        ] {
            profile.symbols = Some(profile.functions.iter().map(|function| function.name).collect());
            let bytes = write(&profile, &options).expect("the seed can be written");
            save(
                "profile_extbinary",
                &format!("{name}-{form}"),
                &bytes[MAGIC_AND_VERSION..],
            )?;
        }
        if let Ok(bytes) = write(
            &profile,
            &WriteOptions {
                format: Format::Binary,
                ..plain
            },
        ) {
            save("profile_binary", name, &bytes[MAGIC_AND_VERSION..])?;
        }
    }
    Ok(())
}
