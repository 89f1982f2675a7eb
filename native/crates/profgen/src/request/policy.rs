//! Where this project decides otherwise than llvm-profgen. All stages ask here, and none asks for `--compat`.

use elf::DecodePolicy;

use crate::request::words::Words;

/// Where results differ from llvm-profgen's. Each field names its number in `docs/compatibility.md`, or says why it has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// 1, 3 and 7: each mapping is followed by itself, by which part of which file it has in which process. If not, one load address holds
    /// for all processes, and each mapping of the binary may move it. llvm-profgen's errors about data mappings and large pages are those
    /// of checking a mapping against this address: where there is none, there is nothing to check. So none of the three can be had
    /// without the others.
    pub own_mappings: bool,
    /// 2: which binary a mapping is of is decided by build ids, and by names only where one is not known. If not, by names alone.
    pub build_ids: bool,
    /// 4: entries that never happened, and slots that the CPU had not filled, are dropped.
    pub drops_unreal_entries: bool,
    /// 5 (`patched_text`), 6 (`aarch64_extensions`), 14 (`jump_tables`) and 15 (`jmpabs`): which bytes are instructions, what they do, and
    /// which of them a kernel rewrites. With `patched_text`, code that was seen in memory or seen to change counts as it was, too.
    pub decoding: DecodePolicy,
    /// 8: a stripped binary has the symbols and functions of its debug file.
    pub symbols_of_debug_file: bool,
    /// 9: what would make an empty profile is an error.
    pub empty_is_error: bool,
    /// 10: probes of functions without a symbol are placed by the debug information.
    pub probes_without_symbol: bool,
    /// 11: text may have whatever perf prints, and mappings lie on top of each other.
    pub any_text: bool,
    /// 12: debug information is looked for in more places and forms.
    pub more_debug_information: bool,
    /// 13: recordings of only some kinds of branches, binaries whose code did not run, those whose debug information is damaged for most
    /// samples, and counts that 64 bits do not hold are refused.
    pub refuses_implausible: bool,
    /// 16: the parts of a coroutine are counted for the coroutine.
    pub whole_coroutines: bool,
    /// 17: a recording without branch stacks has a profile, by its sampled addresses.
    pub infers_from_addresses: bool,
    /// 18: of functions that the linker folded into one, that one counts whose lines the line table has.
    pub folded_by_lines: bool,
    /// 19: a first segment at address 0 is a base as any other.
    pub zero_is_a_base: bool,
    /// 20: samples of Arm SPE are branches one by one, taken or not.
    pub reads_arm_spe: bool,
    /// Kernel modules are binaries. llvm-profgen reads no relocatable files, so there is no result to compare with.
    pub kernel_modules: bool,
    /// Several binaries are counted in one pass. llvm-profgen takes one binary, so with `--compat` each binary is counted in a pass of its own.
    pub counted_together: bool,
    /// Findings are told in this project's words, also those that llvm-profgen does not have. If not, those that it has are told, in its
    /// words. No result depends on it.
    pub words: Words,
}

impl Policy {
    /// The differences that `docs/compatibility.md` names apply.
    pub const OWN: Self = Self::of(true);
    /// Equal to llvm-profgen 22 everywhere (`--compat=llvm-profgen`).
    pub const LLVM_PROFGEN: Self = Self::of(false);

    const fn of(own: bool) -> Self {
        Self {
            own_mappings: own,
            build_ids: own,
            drops_unreal_entries: own,
            decoding: if own {
                DecodePolicy::FULL
            } else {
                DecodePolicy::LLVM_PROFGEN
            },
            symbols_of_debug_file: own,
            empty_is_error: own,
            probes_without_symbol: own,
            any_text: own,
            more_debug_information: own,
            refuses_implausible: own,
            whole_coroutines: own,
            infers_from_addresses: own,
            reads_arm_spe: own,
            folded_by_lines: own,
            zero_is_a_base: own,
            kernel_modules: own,
            counted_together: own,
            words: if own { Words::Own } else { Words::LlvmProfgen },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What decides each number. A new field does not compile until it is listed.
    fn switches(policy: &mut Policy) -> Vec<(&'static [u32], &mut bool)> {
        let Policy {
            own_mappings,
            build_ids,
            drops_unreal_entries,
            decoding:
                DecodePolicy {
                    patched_text,
                    aarch64_extensions,
                    jump_tables,
                    jmpabs,
                },
            symbols_of_debug_file,
            empty_is_error,
            probes_without_symbol,
            any_text,
            more_debug_information,
            refuses_implausible,
            whole_coroutines,
            infers_from_addresses,
            reads_arm_spe,
            folded_by_lines,
            zero_is_a_base,
            kernel_modules: _,
            counted_together: _,
            words: _,
        } = policy;
        vec![
            (&[1, 3, 7], own_mappings),
            (&[2], build_ids),
            (&[4], drops_unreal_entries),
            (&[5], patched_text),
            (&[6], aarch64_extensions),
            (&[8], symbols_of_debug_file),
            (&[9], empty_is_error),
            (&[10], probes_without_symbol),
            (&[11], any_text),
            (&[12], more_debug_information),
            (&[13], refuses_implausible),
            (&[14], jump_tables),
            (&[15], jmpabs),
            (&[16], whole_coroutines),
            (&[17], infers_from_addresses),
            (&[18], folded_by_lines),
            (&[19], zero_is_a_base),
            (&[20], reads_arm_spe),
        ]
    }

    /// By number: whether all that belongs to it is decided as here.
    fn deviations(mut policy: Policy) -> BTreeMap<u32, bool> {
        let mut decided = BTreeMap::new();
        for (numbers, on) in switches(&mut policy) {
            for &number in numbers {
                *decided.entry(number).or_insert(true) &= *on;
            }
        }
        decided
    }

    #[test]
    fn every_documented_difference_is_decided_here() {
        let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/compatibility.md");
        let document = std::fs::read_to_string(document).expect("the document");
        let (_, listed) = document.split_once("takes these differences back:").expect("the list");
        let numbers: Vec<u32> = listed
            .lines()
            .filter_map(|line| line.split_once(". **")?.0.parse().ok())
            .collect();
        let own = deviations(Policy::OWN);
        assert_eq!(numbers, own.keys().copied().collect::<Vec<_>>());
        assert!(own.values().all(|decided_here| *decided_here));
        assert!(
            deviations(Policy::LLVM_PROFGEN)
                .values()
                .all(|decided_here| !decided_here)
        );
    }

    #[test]
    fn each_difference_can_be_taken_back_alone() {
        let mut own = Policy::OWN;
        for index in 0..switches(&mut own).len() {
            let mut policy = own;
            let (numbers, on) = switches(&mut policy).swap_remove(index);
            *on = false;
            let left = deviations(policy);
            let taken: Vec<u32> = left.iter().filter(|(_, on)| !**on).map(|(number, _)| *number).collect();
            assert_eq!(taken, numbers);
        }
    }
}
