//! A program in the view of BOLT: the function that has an address, and the edges that a straight-line range goes
//! along.

use elf::{Code, Image, InstructionClass, Svma};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::blocks::Blocks;
use crate::frames::Frames;
use crate::functions::{Function, functions};

/// An address as a function and an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index into [`Program::functions`].
    pub function: usize,
    /// Number of bytes from the start of the function.
    pub offset: u64,
}

/// The functions and blocks of a program.
#[derive(Debug)]
pub struct Program<'i> {
    image: &'i Image,
    code: &'i Code<'i>,
    frames: Frames,
    functions: Vec<Function>,
    /// For each function, the addresses inside that branches from other functions go to.
    entered: FxHashMap<usize, FxHashSet<Svma>>,
    /// For each function, the addresses inside that data points to.
    pointed: FxHashMap<usize, FxHashSet<Svma>>,
}

impl<'i> Program<'i> {
    /// Finds the functions of `image`, and decodes its code.
    pub fn of(image: &'i Image, code: &'i Code<'i>) -> Self {
        let frames = Frames::read(image);
        let functions = functions(image, &frames);
        let mut program = Self {
            image,
            code,
            frames,
            functions,
            entered: FxHashMap::default(),
            pointed: FxHashMap::default(),
        };
        program.entered = program.by_function(program.jumps_between_functions());
        program.pointed = program.by_function(image.pointers_in_data());
        program
    }

    /// Returns the functions, ascending.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Returns the function that has `svma` in its code or in the padding after it, and the offset.
    pub fn find(&self, svma: Svma) -> Option<Place> {
        let following = self.functions.partition_point(|function| function.start <= svma);
        let function = following.checked_sub(1)?;
        let found = &self.functions[function];
        found.reaches(svma).then(|| Place {
            function,
            offset: svma.0 - found.start.0,
        })
    }

    /// Returns true if the instruction at `svma` is a return.
    pub fn is_return(&self, svma: Svma) -> bool {
        self.code.class_at(svma) == Some(InstructionClass::Return)
    }

    /// Returns the blocks of a function; `None` if BOLT has no blocks of the function.
    pub fn blocks(&self, function: usize) -> Option<Blocks> {
        let found = self.functions.get(function)?;
        if found.is_opaque || found.is_stub {
            return None;
        }
        let empty = FxHashSet::default();
        let mut entries = self.entered.get(&function).cloned().unwrap_or_default();
        entries.extend(&found.entries);
        let end = found.start.wrapping_add(found.size);
        let pads = self.frames.landing_pads(found.start, end);
        let pointed = self.pointed.get(&function).unwrap_or(&empty);
        Blocks::of(self.image, self.code, found, &entries, pads, pointed)
    }

    fn by_function(&self, addresses: Vec<Svma>) -> FxHashMap<usize, FxHashSet<Svma>> {
        let mut found: FxHashMap<usize, FxHashSet<Svma>> = FxHashMap::default();
        for svma in addresses {
            if let Some(place) = self.find(svma).filter(|place| place.offset > 0)
                && self.functions[place.function].contains(svma)
            {
                found.entry(place.function).or_default().insert(svma);
            }
        }
        found
    }

    /// Returns the targets of direct branches that go to outside of their own function.
    fn jumps_between_functions(&self) -> Vec<Svma> {
        let leaving = |function: &Function| {
            let through = Svma(function.start.0.saturating_add(function.size.saturating_sub(1)));
            let mut found: Vec<Svma> = Vec::new();
            if function.is_stub || function.size == 0 {
                return found;
            }
            for instruction in self.code.instructions(function.start, through) {
                if matches!(
                    instruction.class,
                    InstructionClass::Jump | InstructionClass::Branch | InstructionClass::Call
                ) {
                    let target = self.code.direct_target(instruction.svma);
                    let elsewhere = target.filter(|target| !function.contains(*target));
                    found.extend(elsewhere.filter(|target| self.find(*target).is_some_and(|place| place.offset > 0)));
                }
            }
            found
        };
        self.functions.par_iter().flat_map_iter(leaving).collect()
    }
}
