//! Finds the control flow of one stretch of code from its instructions.

use elf::{Arch, Code, Image, Instruction, InstructionClass, Svma, jump_targets};
use rustc_hash::FxHashMap;

/// Most instructions of a stretch that is looked at.
const MOST_INSTRUCTIONS: usize = 1 << 20;

/// Most jump tables of a stretch. No function that a compiler makes has more.
const MOST_TABLES: usize = 4096;

/// A straight run of instructions that is entered at its first instruction and left at its last. Calls may be
/// inside.
#[derive(Debug)]
pub(super) struct CodeBlock {
    /// Number of its first instruction. Instructions are numbered from the beginning of the stretch.
    pub first: usize,
    pub last: usize,
    /// True if control leaves the stretch at the end of the block: by a return, by a jump to other code, or
    /// by a jump whose target is not known.
    pub leaves: bool,
    /// True if the block may end in a call that does not return.
    pub may_end: bool,
    /// Target of a jump out of the stretch.
    pub jumps_to: Option<Svma>,
    /// True if blocks before it in the stretch lead to the block.
    pub has_predecessor: bool,
}

/// Blocks and the edges between them. The first block begins where the stretch does.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub instructions: Vec<Instruction>,
    pub blocks: Vec<CodeBlock>,
    /// Edges between blocks, as numbers of the blocks (from, to).
    pub edges: Vec<(u32, u32)>,
}

impl Blocks {
    /// Finds the blocks of the code from `start` to before `end`. Returns `None` if there is no code, or more
    /// than [`MOST_INSTRUCTIONS`] instructions.
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

    /// Returns the number of the block that has the instruction at `svma`, and the number of the instruction
    /// in the block; `None` if there is no such block.
    pub(super) fn find(&self, svma: Svma) -> Option<(usize, usize)> {
        let number = self
            .instructions
            .binary_search_by_key(&svma, |instruction| instruction.svma)
            .ok()?;
        Some((self.block_of(number), number))
    }

    /// Returns the number of the block that has the instruction with this number.
    fn block_of(&self, number: usize) -> usize {
        self.blocks.partition_point(|block| block.first <= number) - 1
    }
}

struct Builder<'a> {
    image: &'a Image,
    code: &'a Code<'a>,
    instructions: &'a [Instruction],
    /// Targets of indirect jumps, as numbers of instructions, by the number of the jump.
    targets: FxHashMap<usize, Vec<usize>>,
    /// True for an instruction at which a block begins, by number. The list has one element more than there
    /// are instructions.
    begins: Vec<bool>,
    /// True for an instruction that execution does not reach from the instruction before, by number. The list
    /// has one element more than there are instructions.
    follows_end: Vec<bool>,
    /// True for an instruction that is the target of a jump, by number.
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
                    let traps = self.code.is_trap(instruction.svma);
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

    /// Begins a block after the padding before an aligned block. The padding is not executed.
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

    /// Returns true if the instruction does nothing: on x86 `nop` of all lengths and `int3`, on AArch64 `nop`
    /// and `udf`.
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
                InstructionClass::Other if self.code.is_trap(instruction.svma) => block.leaves = true,
                InstructionClass::Other => goes_on = true,
            }
            if is_padding {
                padding.push(index);
            } else if goes_on && index + 1 < firsts.len() {
                edges.push((index as u32, index as u32 + 1));
            } else if goes_on {
                // Control goes on into the code after the stretch.
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

    /// Adds edges from a jump with an unknown table to all blocks that no other edge leads to.
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
