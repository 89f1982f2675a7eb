//! Cuts functions into blocks as BOLT does, and finds the edges of straight-line ranges (LLVM:
//! `BinaryFunction::buildCFG`, `DataAggregator::getFallthroughsInTrace`).

use elf::{Arch, Code, Image, Instruction, InstructionClass, Svma, jump_targets};
use rustc_hash::FxHashSet;

use crate::functions::Function;
use crate::run::{Before, Run};

/// Largest number of instructions of a function. Longer functions get no blocks.
const MAX_INSTRUCTIONS: usize = 1 << 22;

/// Largest number of jump tables of a function. No function of a compiler has more.
const MAX_TABLES: usize = 4096;

/// The blocks of a function.
#[derive(Debug)]
pub struct Blocks {
    start: Svma,
    end: Svma,
    /// Blocks, ascending.
    blocks: Vec<Block>,
}

#[derive(Debug)]
struct Block {
    start: Svma,
    /// Address of the last instruction of the block.
    last: Svma,
    /// True if execution may go on with the next block.
    goes_on: bool,
    ends_in_call: bool,
    /// True if code outside of the function may enter the block.
    is_entry: bool,
}

/// The way in which an instruction ends a block.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// The instruction does not end a block.
    None,
    /// The instruction is a conditional branch to a target inside or outside of the function.
    Condition { inside: bool },
    /// The instruction is an unconditional branch to a target inside of the function.
    Jump,
    /// The instruction is a return, a jump to outside of the function, an indirect jump, or a trap.
    Other,
}

impl Blocks {
    pub(crate) fn of(
        image: &Image,
        code: &Code<'_>,
        function: &Function,
        entries: &FxHashSet<Svma>,
        landing_pads: &[Svma],
        pointed: &FxHashSet<Svma>,
    ) -> Option<Self> {
        let through = Svma(function.start.0.saturating_add(function.size.checked_sub(1)?));
        let instructions: Vec<Instruction> = code
            .instructions(function.start, through)
            .take(MAX_INSTRUCTIONS + 1)
            .collect();
        let first = instructions
            .first()
            .filter(|_| instructions.len() <= MAX_INSTRUCTIONS)?;
        if first.svma != function.start {
            return None;
        }
        let mut builder = Builder {
            image,
            code,
            function,
            instructions: &instructions,
            tables: 0,
            labels: entries.iter().chain(landing_pads).chain(pointed).copied().collect(),
        };
        builder.labels.insert(function.start);
        let ends = builder.find_labels();
        let is_entry =
            |svma: Svma| svma == function.start || entries.contains(&svma) || landing_pads.binary_search(&svma).is_ok();
        Some(Self {
            start: function.start,
            end: function.start.wrapping_add(function.size),
            blocks: builder.cut_into_blocks(&ends, is_entry),
        })
    }

    /// Returns the edges between neighbouring blocks that a straight-line range goes along. An edge is the last
    /// instruction of one block and the first instruction of the next. Returns `None` if the range is not possible.
    pub fn edges(&self, run: Run, after_return: bool) -> Option<Vec<(Svma, Svma)>> {
        if run.from > run.through {
            return None;
        }
        let (mut first, last) = (self.find(run.from)?, self.find(run.through)?);
        // A call, which is the last instruction of the block before, has returned here.
        let from_elsewhere = match run.before {
            Before::Unknown => false,
            Before::Elsewhere => true,
            Before::Branch(branch) => branch < self.start || branch >= self.end,
        };
        let block = &self.blocks[first];
        let may_be_return = if after_return {
            run.from != self.start
        } else {
            !block.is_entry
        };
        if from_elsewhere
            && run.from == block.start
            && may_be_return
            && let Some(before) = first.checked_sub(1)
            && self.blocks[before].goes_on
            && self.blocks[before].ends_in_call
        {
            first = before;
        }
        let through = &self.blocks[first..=last];
        let pairs = through.windows(2);
        if !pairs.clone().all(|pair| pair[0].goes_on) {
            return None;
        }
        Some(pairs.map(|pair| (pair[0].last, pair[1].start)).collect())
    }

    fn find(&self, svma: Svma) -> Option<usize> {
        let following = self.blocks.partition_point(|block| block.start <= svma);
        following.checked_sub(1).filter(|_| svma < self.end)
    }
}

struct Builder<'a> {
    image: &'a Image,
    code: &'a Code<'a>,
    function: &'a Function,
    instructions: &'a [Instruction],
    /// Number of indirect jumps so far.
    tables: usize,
    /// Addresses at which blocks begin.
    labels: FxHashSet<Svma>,
}

impl Builder<'_> {
    /// Notes the targets of the branches of the function. Returns how each instruction ends a block.
    fn find_labels(&mut self) -> Vec<End> {
        let mut ends = Vec::with_capacity(self.instructions.len());
        for (number, instruction) in self.instructions.iter().enumerate() {
            let target = match instruction.class {
                InstructionClass::Jump | InstructionClass::Branch | InstructionClass::Call => {
                    self.code.direct_target(instruction.svma)
                }
                _ => None,
            };
            let inside = target.filter(|target| self.function.contains(*target));
            self.labels.extend(inside);
            ends.push(match instruction.class {
                InstructionClass::Branch if target.is_some() => End::Condition {
                    inside: inside.is_some(),
                },
                InstructionClass::Branch => {
                    self.follow_table(number);
                    End::Other
                }
                InstructionClass::Jump if inside.is_some() => End::Jump,
                InstructionClass::Jump | InstructionClass::Return => End::Other,
                InstructionClass::Other if self.code.is_trap(instruction.svma) => End::Other,
                InstructionClass::Other | InstructionClass::Call => End::None,
            });
        }
        ends
    }

    fn follow_table(&mut self, number: usize) {
        self.tables += 1;
        // BOLT follows no indirect jumps on AArch64.
        if self.image.arch() == Arch::AArch64 || self.tables > MAX_TABLES {
            return;
        }
        let instructions = self.instructions;
        let is_start = |svma: Svma| {
            instructions
                .binary_search_by_key(&svma, |instruction| instruction.svma)
                .is_ok()
        };
        let targets = jump_targets(self.image, self.code, &instructions[..=number], &is_start);
        self.labels.extend(targets);
    }

    fn cut_into_blocks(&self, ends: &[End], is_entry: impl Fn(Svma) -> bool) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        // The end of the block before; `None` while that block is open.
        let mut closed = Some(End::Other);
        for (number, (instruction, &end)) in self.instructions.iter().zip(ends).enumerate() {
            let begins = match closed {
                _ if self.labels.contains(&instruction.svma) => true,
                None => false,
                // A jump after a conditional branch belongs to the block of the branch, unless a branch goes to
                // the jump.
                Some(before) => !(end == End::Jump && before == End::Condition { inside: true }),
            };
            if begins || blocks.is_empty() {
                blocks.push(Block {
                    start: instruction.svma,
                    last: instruction.svma,
                    goes_on: false,
                    ends_in_call: false,
                    is_entry: is_entry(instruction.svma),
                });
            }
            let Some(block) = blocks.last_mut() else { continue };
            let next = self.instructions.get(number + 1).map(|next| next.svma);
            block.last = instruction.svma;
            block.ends_in_call = instruction.class == InstructionClass::Call;
            let jumps_to_next = || next.is_some() && self.code.direct_target(instruction.svma) == next;
            block.goes_on = match end {
                End::None | End::Condition { .. } => true,
                End::Jump => jumps_to_next(),
                End::Other => false,
            };
            closed = (end != End::None).then_some(end);
        }
        blocks
    }
}
