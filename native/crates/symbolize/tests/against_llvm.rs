//! Compares the stacks of real programs with llvm-profgen's, instruction by instruction. Needs clang-22 and
//! llvm-profgen-22.

mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use symbolize::{DebugInfo, DebugOptions, FileSystem, FollowLinks};

const C: &str = r#"
#include <stdlib.h>
static inline int twice(int x) { return x > 3 ? x * 2 : x + 1; }
static inline int both(int x) { return twice(x) + twice(x ^ 5); }
__attribute__((noinline)) int work(int n) {
  int s = 0;
  for (int i = 0; i < n; i++) { if (i % 3) s += both(i); else s -= twice(s); }
  return s;
}
int main(int argc, char **argv) { return work(argc > 1 ? atoi(argv[1]) : 10) & 1; }
"#;

const CXX: &str = r#"
struct Base { virtual ~Base(); virtual int f(int) = 0; };
Base::~Base() {}
namespace { struct Hidden : Base { int a = 3; int f(int x) override { return x * a; } }; }
template <class F> static inline int each(int n, F f) { int s = 0; for (int i = 0; i < n; i++) s += f(i); return s; }
int main(int argc, char **) {
  Hidden h;
  Base *b = &h;
  try {
    return each(argc + 3, [&](int x) { if (x > 100) throw x; return b->f(x) + each(x, [](int y) { return y ^ 1; }); });
  } catch (int e) { return e; }
}
"#;

fn has(tool: &str) -> bool {
    Command::new(tool)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Returns true if the tools are installed. Otherwise prints that the test is skipped.
fn tools(test: &str) -> bool {
    let missing: Vec<_> = ["clang-22", "llvm-profgen-22"]
        .into_iter()
        .filter(|tool| !has(tool))
        .collect();
    if !missing.is_empty() {
        // The message is written to stderr directly, so that libtest does not capture it.
        let _ = writeln!(std::io::stderr(), "skipped {test}: {} not found", missing.join(", "));
    }
    missing.is_empty()
}

fn compile(directory: &Path, source: &str, name: &str, flags: &[&str]) -> PathBuf {
    std::fs::write(directory.join(name), source).unwrap();
    let driver = if name.ends_with(".c") {
        &[][..]
    } else {
        &["--driver-mode=g++"]
    };
    let status = Command::new("clang-22")
        .args(driver)
        .args(["-O2", "-o", "program", name])
        .args(flags)
        .current_dir(directory)
        .status()
        .unwrap();
    assert!(status.success(), "clang-22 {flags:?}");
    directory.join("program")
}

/// Reads llvm-profgen's disassembly: the text after the address of each instruction.
fn expected(program: &Path) -> BTreeMap<u64, String> {
    let output = Command::new("llvm-profgen-22")
        .args(["--show-disassembly-only", "--show-source-locations", "-o", "/dev/null"])
        .arg(format!("--binary={}", program.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().filter_map(|line| {
        let (address, rest) = line.split_once(":\t")?;
        let address = u64::from_str_radix(address.trim_start(), 16).ok()?;
        Some((address, rest.to_owned()))
    });
    lines.collect()
}

fn compare(program: &Path) {
    let data = Arc::new(std::fs::read(program).unwrap());
    let options = DebugOptions {
        follow_links: FollowLinks::LLVM,
        ..DebugOptions::default()
    };
    let debug = DebugInfo::load(data, program, None, &options, &FileSystem).unwrap();
    let table = support::frames(&debug);
    let expected = expected(program);
    let mut with_stack = 0;
    for (address, line) in &expected {
        let stack = support::stack(&table, *address).join(" @ ");
        with_stack += usize::from(!stack.is_empty());
        // The location stands after the padded instruction. Without a location the line ends in padding.
        let agrees = if stack.is_empty() {
            line.ends_with(' ')
        } else {
            line.strip_suffix(&stack)
                .is_some_and(|rest| rest.ends_with(' ') && !rest.ends_with("@ "))
        };
        assert!(agrees, "{address:#x}: {stack:?} against {line:?}");
    }
    assert!(
        with_stack > 30,
        "{with_stack} of {} addresses have a stack",
        expected.len()
    );
}

#[test]
fn stacks_are_llvms_in_every_dwarf_version() {
    if !tools("stacks_are_llvms_in_every_dwarf_version") {
        return;
    }
    for version in ["-gdwarf-2", "-gdwarf-3", "-gdwarf-4", "-gdwarf-5"] {
        let directory = tempfile::tempdir().unwrap();
        compare(&compile(directory.path(), C, "a.c", &[version]));
        compare(&compile(
            directory.path(),
            CXX,
            "a.cpp",
            &[version, "-fdebug-types-section"],
        ));
    }
}

#[test]
fn stacks_are_llvms_with_discriminators_line_tables_only_and_other_shapes() {
    if !tools("stacks_are_llvms_with_discriminators_line_tables_only_and_other_shapes") {
        return;
    }
    for flags in [
        &["-g", "-fdebug-info-for-profiling"][..],
        &["-gmlt", "-fdebug-info-for-profiling"],
        &["-g", "-ffunction-sections", "-Wl,--gc-sections"],
        &["-gdwarf-5", "-gdwarf64"],
        &["-g", "-gz=zlib"],
        &["-g", "-gsplit-dwarf"],
        &["-gdwarf-4", "-gsplit-dwarf"],
        &["-g", "-gsplit-dwarf", "-fsplit-dwarf-inlining"],
    ] {
        let directory = tempfile::tempdir().unwrap();
        compare(&compile(directory.path(), C, "a.c", flags));
        compare(&compile(directory.path(), CXX, "a.cpp", flags));
    }
}
