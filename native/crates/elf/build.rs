//! Turns `src/isa/x86/opcodes.txt` into static tables. `test/opcodes/README.md` describes the file.

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const SOURCE: &str = "src/isa/x86/opcodes.txt";
/// Number of forms of a ModR/M byte that a cell distinguishes.
const FORMS: usize = 72;

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    let text = fs::read_to_string(SOURCE).expect("the opcodes");
    let mut out = String::new();
    for mode in text.split("mode ").skip(1) {
        let (bits, lines) = mode.split_once('\n').expect("lines of a mode");
        Mode::read(lines).write(bits, &mut out);
    }
    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&folder).join("opcodes.rs"), out).expect("the tables are written");
}

/// The lines that describe one mode (64-bit or 32-bit), sorted by the table that they belong to.
#[derive(Default)]
struct Mode {
    kinds: Vec<String>,
    cells: Vec<(bool, Vec<u8>)>,
    rows: Vec<Vec<u8>>,
    evex_rows: Vec<Vec<u8>>,
    legacy: Vec<Vec<u8>>,
    rex2: Vec<u8>,
    vex: Vec<Vec<u8>>,
    xop: Vec<Vec<u8>>,
    evex: Vec<Vec<u8>>,
}

impl Mode {
    fn read(lines: &str) -> Self {
        let mut mode = Self::default();
        for line in lines.lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[0] {
                "kind" => mode.kinds.push(kind(&words[2..])),
                "cell" => mode.cells.push((words[2] == "modrm", expand(&words[3..], FORMS))),
                "row" => mode.rows.push(expand(&words[2..], 256)),
                "evexrow" => mode.evex_rows.push(expand(&words[2..], 96)),
                "legacy" => mode.legacy.push(expand(&words[2..], 24)),
                "rex2" => mode.rex2 = expand(&words[1..], 24),
                "vex" => mode.vex.push(expand(&words[2..], 16)),
                "xop" => mode.xop.push(expand(&words[2..], 16)),
                "evex" => mode.evex.push(expand(&words[4..], 256)),
                other => panic!("{SOURCE} has a line of the unknown sort {other}"),
            }
        }
        // In 32-bit mode the prefix REX2 does not exist, so its table is filled with zeros.
        mode.rex2.resize(24, 0);
        mode
    }

    fn write(&self, bits: &str, out: &mut String) {
        let kinds = self.kinds.join(",\n    ");
        let cells: Vec<_> = self.cells.iter().map(|(_, forms)| forms.clone()).collect();
        let reads_modrm: Vec<_> = self.cells.iter().map(|(modrm, _)| u8::from(*modrm)).collect();
        let _ = write!(
            out,
            "pub(super) static MODE_{bits}: Opcodes = Opcodes {{\n  kinds: &[Kind::NONE,\n    {kinds}],\n  cells: {},\n  \
             reads_modrm: {},\n  rows: {},\n  evex_rows: {},\n  legacy: {},\n  rex2: {},\n  vex: {},\n  xop: {},\n  evex: {},\n}};\n",
            tables(&cells),
            literal(&reads_modrm),
            tables(&self.rows),
            tables(&self.evex_rows),
            tables(&self.legacy),
            literal(&self.rex2),
            tables(&self.vex),
            tables(&self.xop),
            tables(&self.evex),
        );
    }
}

/// Translates words such as `other 4 shrinks -v1` into the source text of a value of `Kind`.
fn kind(words: &[&str]) -> String {
    let class = match words[0] {
        "other" => "Class::Other",
        "call" => "Class::Call",
        "return" => "Class::Return",
        "jump" => "Class::Jump",
        "branch" => "Class::Branch",
        "jmpabs" => "Class::AbsoluteJump",
        other => panic!("{SOURCE} has the unknown class {other}"),
    };
    let (mut shrinks, mut sib, mut refused) = (false, false, Vec::new());
    for word in &words[2..] {
        match *word {
            "shrinks" => shrinks = true,
            "sib" => sib = true,
            extension => {
                let name = extension.strip_prefix('-').expect("an extension that is refused");
                refused.push(format!("extension::{}", name.to_uppercase()));
            }
        }
    }
    let refused = if refused.is_empty() {
        "0".to_owned()
    } else {
        refused.join(" | ")
    };
    format!(
        "Kind {{ class: {class}, immediate: {}, shrinks: {shrinks}, sib: {sib}, refused: {refused} }}",
        words[1]
    )
}

/// Expands runs: `7 0*3` becomes the numbers 7, 0, 0, 0.
fn expand(runs: &[&str], length: usize) -> Vec<u8> {
    let mut numbers = Vec::with_capacity(length);
    for run in runs {
        let (number, count) = run.split_once('*').unwrap_or((run, "1"));
        let number = number.parse().expect("a number below 256");
        numbers.resize(numbers.len() + count.parse::<usize>().expect("a count"), number);
    }
    assert_eq!(numbers.len(), length, "{SOURCE}: {runs:?}");
    numbers
}

fn tables(rows: &[Vec<u8>]) -> String {
    let literals: Vec<_> = rows.iter().map(|row| format!("*{}", literal(row))).collect();
    format!("&[{}]", literals.join(",\n    "))
}

fn literal(bytes: &[u8]) -> String {
    let escapes: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("b\"{escapes}\"")
}
