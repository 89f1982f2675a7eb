//! Writes seeds of pseudo probes, which are sections of a fixture: `cargo run --example make_probe_seeds` in this
//! directory.

use std::fs;
use std::path::Path;

use elf::Image;

fn main() -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("corpus/pseudo_probe");
    fs::create_dir_all(&folder)?;
    let program = here.join("../../fixtures/calc-probe/calc");
    let image = Image::open(&program).expect("the fixture is a program");
    // `choice` is the first byte of the input, which selects the kind of section in the fuzz target.
    for (name, section, choice) in [
        ("descriptors", ".pseudo_probe_desc", 1),
        ("probes", ".pseudo_probe", 0),
        ("probes-of-one-function", ".pseudo_probe", 6),
    ] {
        let content = image.section(section).expect("the fixture has probes").data;
        fs::write(folder.join(name), [&[choice], content].concat())?;
    }
    Ok(())
}
