//! Finds out whether sampled functions set up frame pointers. Without frame pointers, the kernel does not
//! find the callers.

use elf::{Arch, Code, Image, ImageKind, InstructionClass, Svma};
use job::{Diagnostic, DiagnosticCode};
use rustc_hash::{FxHashMap, FxHashSet};
use symbolize::FunctionTable;

use crate::account::share::{Share, percent};
use crate::counting::context_counts::ContextCounts;

/// Most instructions of a function that are searched. Compilers may put code that needs no frame before the
/// instructions that set it up.
const MOST_INSTRUCTIONS: usize = 256;

/// Least share of the runs, in percent, from which on a warning is given.
const TOLD_FROM: f64 = 10.0;

/// Returns a warning if much was executed in functions that call others and set up no frame pointer. Only
/// functions that recorded calls lead to are checked, because others may be parts of functions. The kernel is
/// not checked: it finds the callers of its own code by other means.
pub(crate) fn without_frame_pointers(
    image: &Image,
    code: &Code<'_>,
    functions: &FunctionTable,
    counts: &ContextCounts,
) -> Option<Diagnostic> {
    let sets_up: fn(&[u8]) -> bool = match (image.arch(), image.kind()) {
        (_, ImageKind::Kernel | ImageKind::Module) | (Arch::X86, _) => return None,
        (Arch::X86_64, _) => sets_up_rbp,
        (Arch::AArch64, _) => sets_up_x29,
    };
    let start_of = |svma| functions.find(svma).map(|range| range.start);
    let calls = || {
        let is_call = |svma| code.class_at(svma) == Some(InstructionClass::Call);
        counts.branches.iter().filter(move |branch| is_call(branch.first))
    };
    let called: FxHashSet<Svma> = calls().map(|call| call.second).collect();
    let callers: FxHashSet<Svma> = calls().filter_map(|call| start_of(call.first)).collect();
    let mut runs: FxHashMap<Svma, u64> = FxHashMap::default();
    for run in &counts.ranges {
        if let Some(start) = start_of(run.first).filter(|start| called.contains(start) && callers.contains(start)) {
            let sum = runs.entry(start).or_default();
            *sum = sum.saturating_add(run.count);
        }
    }
    let all = runs.values().fold(0u64, |sum, count| sum.saturating_add(*count));
    runs.retain(|&start, _| {
        let last = functions
            .entry_at(start)
            .map_or(start, |range| Svma(range.end.0.saturating_sub(1)));
        let mut first = code.instructions(start, last).take(MOST_INSTRUCTIONS);
        !first.any(|instruction| code.bytes_of(instruction.svma).is_some_and(sets_up))
    });
    let without = runs.values().fold(0u64, |sum, count| sum.saturating_add(*count));
    let (&most, _) = runs.iter().max_by_key(|&(start, count)| (*count, *start))?;
    if percent(without, all) < TOLD_FROM {
        return None;
    }
    let share = Share {
        part: without,
        whole: all,
        of: "sampled runs of functions that call others",
    };
    let name = functions
        .find(most)
        .map_or(&b""[..], |range| functions.name(range.function));
    let message = format!(
        "{share} are in functions that set up no frame pointer, such as {}. Call chains that follow frame pointers leave out the callers of such \
         functions, so calling contexts lack them. Compile with -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer (rustc: \
         -C force-frame-pointers=yes), and record the new binary",
        String::from_utf8_lossy(name)
    );
    Some(Diagnostic::warning(DiagnosticCode::CallStacks, message))
}

/// Returns true for `mov %rsp, %rbp`, in either encoding.
fn sets_up_rbp(instruction: &[u8]) -> bool {
    matches!(instruction, [0x48, 0x89, 0xe5] | [0x48, 0x8b, 0xec])
}

/// Returns true for `add x29, sp, #n`. `mov x29, sp` is this instruction with n = 0.
fn sets_up_x29(instruction: &[u8]) -> bool {
    let word = <[u8; 4]>::try_from(instruction).map(u32::from_le_bytes);
    word.is_ok_and(|word| word & 0xff80_03ff == 0x9100_03fd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_instructions_that_assemblers_make() {
        assert!(sets_up_rbp(&[0x48, 0x89, 0xe5])); // mov %rsp, %rbp
        assert!(!sets_up_rbp(&[0x48, 0x8d, 0x6c, 0x24, 0x20])); // lea 0x20(%rsp), %rbp
        assert!(!sets_up_rbp(&[0x48, 0x89, 0xec])); // mov %rbp, %rsp
        assert!(!sets_up_rbp(&[0x55])); // push %rbp
        assert!(sets_up_x29(&0x9100_03fd_u32.to_le_bytes())); // mov x29, sp
        assert!(sets_up_x29(&0x9100_83fd_u32.to_le_bytes())); // add x29, sp, #0x20
        assert!(!sets_up_x29(&0x9100_03bf_u32.to_le_bytes())); // mov sp, x29
        assert!(!sets_up_x29(&0xa9bf_7bfd_u32.to_le_bytes())); // stp x29, x30, [sp, #-16]!
    }
}
