//! The points at which this project's results differ from llvm-profgen's. All stages ask this policy; none
//! looks at `--compat`.

use elf::DecodePolicy;

use crate::request::words::Words;

/// Switches for the differences from llvm-profgen's results. Each field names its number in
/// `docs/compatibility.md`, or says why it has no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// 1, 3 and 7: each mapping is followed on its own, with its process and its part of the file. If false,
    /// one load address holds for all processes, and each mapping of the binary may change it. llvm-profgen's
    /// errors about data mappings and large pages come from the check of a mapping against this address.
    /// Without this address there is nothing to check, so the three numbers share one switch.
    pub own_mappings: bool,
    /// 2: build ids decide which binary a mapping belongs to, and names only where a build id is not known.
    /// If false, names alone decide.
    pub build_ids: bool,
    /// 4: entries that never happened, and slots that the CPU had not filled, are dropped.
    pub drops_unreal_entries: bool,
    /// 5 (`patched_text`), 6 (`aarch64_extensions`), 14 (`jump_tables`) and 15 (`jmpabs`): which bytes are
    /// instructions, what the instructions do, and which of them a kernel rewrites. With `patched_text`, code
    /// counts as it was in memory, if the recording has the memory or states the change.
    pub decoding: DecodePolicy,
    /// 8: a stripped binary gets the symbols and functions of its debug file.
    pub symbols_of_debug_file: bool,
    /// 9: an empty profile is an error.
    pub empty_is_error: bool,
    /// 10: the debug information places the probes of functions without a symbol.
    pub probes_without_symbol: bool,
    /// 11: text may have all forms that perf prints, and newer mappings lie on top of older ones.
    pub any_text: bool,
    /// 12: debug information is looked for in more places and forms.
    pub more_debug_information: bool,
    /// 13: these are refused: recordings of only some kinds of branches, binaries whose code did not run,
    /// binaries whose debug information is damaged for most samples, and counts that do not fit into 64 bits.
    pub refuses_implausible: bool,
    /// 16: the parts of a coroutine count for the coroutine.
    pub whole_coroutines: bool,
    /// 17: a recording without branch stacks gets a profile, from its sampled addresses.
    pub infers_from_addresses: bool,
    /// 18: of functions that the linker folded into one, the function that has the lines of the line table
    /// counts.
    pub folded_by_lines: bool,
    /// 19: a first segment at address 0 is a base like any other.
    pub zero_is_a_base: bool,
    /// 20: samples of Arm SPE are single branches, taken or not.
    pub reads_arm_spe: bool,
    /// Kernel modules are binaries. llvm-profgen reads no relocatable files, so there is no result to compare
    /// with, and no number.
    pub kernel_modules: bool,
    /// Several binaries are counted in one pass. llvm-profgen takes one binary, so with `--compat` each
    /// binary is counted in a pass of its own.
    pub counted_together: bool,
    /// Whose words findings have. This project's words include findings that llvm-profgen does not have;
    /// llvm-profgen's words are limited to its own findings. No result depends on it.
    pub words: Words,
}

impl Policy {
    /// This project's own policy: all differences that `docs/compatibility.md` names apply.
    pub const OWN: Self = Self::of(true);
    /// The policy that equals llvm-profgen 22 everywhere (`--compat=llvm-profgen`).
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

    /// Returns the switches of each number. A new field does not compile until it is listed here.
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

    /// Returns for each number whether all of its switches are on.
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
