//! The control flow of one stretch of code, from its instructions.

use elf::{Arch, Code, Image, Instruction, InstructionClass, Svma, jump_targets};
use rustc_hash::FxHashMap;

/// Longer stretches are not looked at.
const MOST_INSTRUCTIONS: usize = 1 << 20;

/// No function of a compiler has more tables of jumps.
const MOST_TABLES: usize = 4096;

/// A straight run of instructions that is entered at its first and left at its last one. Calls may be inside.
#[derive(Debug)]
pub(super) struct CodeBlock {
    /// Its instructions, as numbers of those of the stretch.
    pub first: usize,
    pub last: usize,
    /// Control leaves the stretch from here: by a return, a jump to elsewhere, or where nothing tells where it goes.
    pub leaves: bool,
    /// It may end in a call that does not return.
    pub may_end: bool,
    /// Where a jump that leaves goes.
    pub jumps_to: Option<Svma>,
    /// Blocks before it in the stretch lead to it.
    pub has_predecessor: bool,
}

/// Blocks and the edges between them. The first block begins where the stretch does.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub instructions: Vec<Instruction>,
    pub blocks: Vec<CodeBlock>,
    /// From and to, by number.
    pub edges: Vec<(u32, u32)>,
}

impl Blocks {
    /// Those of the code from `start` to before `end`. `None` if there is none, or too much.
    pub(super) fn of(image: &Image, code: &Code<'_>, start: Svma, end: Svma) -> Option<Self> {
        let through = Svma(end.0.checked_sub(1)?);
        let instructions: Vec<Instruction> = code.instructions(start, through).take(MOST_INSTRUCTIONS + 1).collect();
        if instructions.is_empty() || instructions.len() > MOST_INSTRUCTIONS {
            return None;
        }
        let mut builder = Builder {
            image,
            code,
            instructions: &instructions,
            targets: FxHashMap::default(),
            begins: vec![false; instructions.len() + 1],
            follows_end: vec![false; instructions.len() + 1],
            is_target: vec![false; instructions.len()],
        };
        builder.find_beginnings();
        let (blocks, edges) = builder.link();
        Some(Self {
            instructions,
            blocks,
            edges,
        })
    }

    /// The block that has the instruction at `svma`, and which of its instructions that is.
    pub(super) fn find(&self, svma: Svma) -> Option<(usize, usize)> {
        let number = self
            .instructions
            .binary_search_by_key(&svma, |instruction| instruction.svma)
            .ok()?;
        Some((self.block_of(number), number))
    }

    /// The block that has the instruction with this number.
    fn block_of(&self, number: usize) -> usize {
        self.blocks.partition_point(|block| block.first <= number) - 1
    }
}

struct Builder<'a> {
    image: &'a Image,
    code: &'a Code<'a>,
    instructions: &'a [Instruction],
    /// Of indirect jumps, by number: numbers of the instructions they go to.
    targets: FxHashMap<usize, Vec<usize>>,
    /// By number: a block begins there. One more than there are instructions.
    begins: Vec<bool>,
    /// By number: execution does not get there from the instruction before. One more than there are instructions.
    follows_end: Vec<bool>,
    /// By number: a jump goes there.
    is_target: Vec<bool>,
}

impl Builder<'_> {
    fn find_beginnings(&mut self) {
        self.begins[0] = true;
        for (number, instruction) in self.instructions.iter().enumerate() {
            let ends = match instruction.class {
                InstructionClass::Jump | InstructionClass::Return => {
                    self.follows_end[number + 1] = true;
                    true
                }
                InstructionClass::Branch => {
                    if self.direct_target(instruction).is_none() {
                        let targets = if self.targets.len() < MOST_TABLES {
                            self.indirect_targets(number)
                        } else {
                            Vec::new()
                        };
                        targets.iter().for_each(|&target| self.is_target[target] = true);
                        self.follows_end[number + 1] = true;
                        self.targets.insert(number, targets);
                    }
                    true
                }
                InstructionClass::Other => {
                    let traps = self.code.traps(instruction.svma);
                    self.follows_end[number + 1] |= traps;
                    traps
                }
                InstructionClass::Call => false,
            };
            self.begins[number + 1] |= ends;
            if matches!(instruction.class, InstructionClass::Jump | InstructionClass::Branch)
                && let Some(target) = self
                    .direct_target(instruction)
                    .and_then(|target| self.number_of(target))
            {
                self.is_target[target] = true;
            }
        }
        for (begins, is_target) in self.begins.iter_mut().zip(&self.is_target) {
            *begins |= *is_target;
        }
        self.separate_padding();
    }

    /// What fills the space up to an aligned block is not executed: the block begins behind it.
    fn separate_padding(&mut self) {
        let mut in_padding = false;
        for number in 0..self.instructions.len() {
            in_padding |= self.follows_end[number];
            if !in_padding {
                continue;
            }
            if self.is_target[number] || !self.pads(&self.instructions[number]) {
                self.begins[number] = true;
                in_padding = false;
            }
        }
    }

    /// Whether it does nothing: `nop` of all lengths, `int3`; `nop`, `udf`.
    fn pads(&self, instruction: &Instruction) -> bool {
        let bytes = self.code.bytes_of(instruction.svma).unwrap_or_default();
        match self.image.arch() {
            Arch::X86_64 | Arch::X86 => {
                let prefixes = bytes.iter().take_while(|byte| matches!(byte, 0x66 | 0x2e)).count();
                matches!(bytes[prefixes..], [0x90 | 0xcc] | [0x0f, 0x1f, ..])
            }
            Arch::AArch64 => {
                let word = bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
                word == 0xd503_201f || word == 0
            }
        }
    }

    fn direct_target(&self, instruction: &Instruction) -> Option<Svma> {
        self.code.direct_target(instruction.svma)
    }

    fn number_of(&self, svma: Svma) -> Option<usize> {
        self.instructions
            .binary_search_by_key(&svma, |instruction| instruction.svma)
            .ok()
    }

    fn indirect_targets(&self, number: usize) -> Vec<usize> {
        let inside = |svma| self.number_of(svma).is_some();
        let found = jump_targets(self.image, self.code, &self.instructions[..=number], &inside);
        found.into_iter().filter_map(|target| self.number_of(target)).collect()
    }

    fn link(&self) -> (Vec<CodeBlock>, Vec<(u32, u32)>) {
        let count = self.instructions.len();
        let firsts: Vec<usize> = (0..count).filter(|&number| self.begins[number]).collect();
        let block_at = |number: usize| firsts.binary_search(&number).ok();
        let (mut blocks, mut edges, mut indirect) = (Vec::with_capacity(firsts.len()), Vec::new(), Vec::new());
        let mut padding = Vec::new();
        for (index, &first) in firsts.iter().enumerate() {
            let last = firsts.get(index + 1).copied().unwrap_or(count) - 1;
            let instruction = &self.instructions[last];
            let is_padding = self.follows_end[first]
                && !self.is_target[first]
                && self.instructions[first..=last]
                    .iter()
                    .all(|instruction| self.pads(instruction));
            let mut block = CodeBlock {
                first,
                last,
                leaves: false,
                may_end: false,
                jumps_to: None,
                has_predecessor: index == 0,
            };
            let mut goes_on = false;
            match instruction.class {
                InstructionClass::Return => block.leaves = true,
                InstructionClass::Jump | InstructionClass::Branch => {
                    goes_on = instruction.class == InstructionClass::Branch;
                    if let Some(targets) = self.targets.get(&last) {
                        goes_on = false;
                        let targets = targets.iter().filter_map(|target| block_at(*target));
                        let before = edges.len();
                        edges.extend(targets.map(|target| (index as u32, target as u32)));
                        if edges.len() == before {
                            block.leaves = true;
                            indirect.push(index);
                        }
                    } else {
                        let target = self.direct_target(instruction);
                        match target.and_then(|target| self.number_of(target)).and_then(block_at) {
                            Some(target) => edges.push((index as u32, target as u32)),
                            None => (block.leaves, block.jumps_to) = (true, target),
                        }
                    }
                }
                InstructionClass::Call => (goes_on, block.may_end) = (true, true),
                InstructionClass::Other if self.code.traps(instruction.svma) => block.leaves = true,
                InstructionClass::Other => goes_on = true,
            }
            if is_padding {
                padding.push(index);
            } else if goes_on && index + 1 < firsts.len() {
                edges.push((index as u32, index as u32 + 1));
            } else if goes_on {
                // Into whatever lies behind.
                block.leaves = true;
            }
            blocks.push(block);
        }
        edges.sort_unstable();
        edges.dedup();
        for &(_, to) in &edges {
            blocks[to as usize].has_predecessor = true;
        }
        self.link_indirect(&mut blocks, &mut edges, &indirect, &padding);
        (blocks, edges)
    }

    /// A jump whose table is not known goes to the blocks that nothing else leads to.
    fn link_indirect(
        &self,
        blocks: &mut [CodeBlock],
        edges: &mut Vec<(u32, u32)>,
        indirect: &[usize],
        padding: &[usize],
    ) {
        const MOST_EDGES: usize = 1 << 16;
        let alone: Vec<usize> = (0..blocks.len())
            .filter(|&index| !blocks[index].has_predecessor && padding.binary_search(&index).is_err())
            .collect();
        if indirect.is_empty() || alone.len() * indirect.len() > MOST_EDGES {
            return;
        }
        for &from in indirect {
            edges.extend(alone.iter().map(|&to| (from as u32, to as u32)));
        }
        alone.into_iter().for_each(|index| blocks[index].has_predecessor = true);
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
