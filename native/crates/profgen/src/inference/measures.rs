//! Measures how often a block was executed, from its samples.

use elf::{Arch, Code, Svma};
use flow::Measure;

use crate::counting::sampled::Hits;
use crate::inference::blocks::Blocks;
use crate::inference::cost::time_of;

/// Error of the estimated time of a block, as a share. More samples cannot reduce it, so they add no weight.
/// Caches and dependences do not show in the code.
const SYSTEMATIC_ERROR: f64 = 0.15;

/// Sampled addresses of all functions, and the share of exact samples.
pub(super) struct Samples<'a> {
    /// Sampled addresses, in ascending order.
    pub addresses: &'a [(Svma, Hits)],
    pub exact_share: f64,
    /// True if samples count instructions instead of time: then all instructions weigh the same.
    pub by_instructions: bool,
}

impl<'a> Samples<'a> {
    /// Returns the sampled addresses from `start` to before `end`.
    pub(super) fn within(&self, start: Svma, end: Svma) -> &'a [(Svma, Hits)] {
        let first = self.addresses.partition_point(|(svma, _)| *svma < start);
        let behind = self.addresses.partition_point(|(svma, _)| *svma < end);
        &self.addresses[first..behind.max(first)]
    }
}

/// Returns a measure for each block.
///
/// A sample that is not exact was taken at the instruction before the one that it names. Within a block that
/// instruction is known. At the first instruction of a block it is not known, so such samples are left out.
/// So is the time of the last instruction of each block, whose samples would appear there.
pub(super) fn measures(
    samples: &Samples<'_>,
    blocks: &Blocks,
    code: &Code<'_>,
    arch: Arch,
) -> (Vec<Option<Measure>>, u64) {
    let time = |number: usize| {
        let instruction = blocks.instructions[number];
        if samples.by_instructions {
            return Some(1.0);
        }
        time_of(arch, instruction, code.bytes_of(instruction.svma).unwrap_or_default())
    };
    let mut sums = vec![(0.0, 0.0); blocks.blocks.len()];
    for (block, (_, expected)) in blocks.blocks.iter().zip(&mut sums) {
        for number in block.first..=block.last {
            let Some(time) = time(number) else { continue };
            *expected += time * samples.exact_share;
            if number < block.last {
                *expected += time * (1.0 - samples.exact_share);
            }
        }
    }
    let mut total = 0;
    let (Some(first), Some(last)) = (blocks.instructions.first(), blocks.instructions.last()) else {
        return (Vec::new(), 0);
    };
    for (svma, hits) in samples.within(first.svma, last.svma.wrapping_add(1)) {
        total += hits.sum();
        let Some((block, number)) = blocks.find(*svma) else {
            continue;
        };
        if time(number).is_some() {
            sums[block].0 += hits.exact as f64;
        }
        if number > blocks.blocks[block].first && time(number - 1).is_some() {
            sums[block].0 += hits.skidded as f64;
        }
    }
    let measure = |(samples, expected): (f64, f64)| {
        let believed = 1.0 / (1.0 + samples * SYSTEMATIC_ERROR * SYSTEMATIC_ERROR);
        (expected > 0.0).then_some(Measure {
            samples: samples * believed,
            per_execution: expected * believed,
        })
    };
    (sums.into_iter().map(measure).collect(), total)
}
