//! A program as BOLT sees it: which function an address is in, and which edges a run goes along.

use elf::{Code, Image, InstructionClass, Svma};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::blocks::Blocks;
use crate::frames::Frames;
use crate::functions::{Function, functions};

/// An address as an offset in a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Which of [`Program::functions`].
    pub function: usize,
    /// Bytes from its start.
    pub offset: u64,
}

/// The functions and blocks of a program.
#[derive(Debug)]
pub struct Program<'i> {
    image: &'i Image,
    code: &'i Code<'i>,
    frames: Frames,
    functions: Vec<Function>,
    /// By function: addresses inside that code elsewhere goes to.
    entered: FxHashMap<usize, FxHashSet<Svma>>,
    /// By function: addresses inside that data points to.
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

    /// The functions, ascending.
    pub fn functions(&self) -> &[Function] {
        &self.functions
    }

    /// Which function has `svma`, in its code or in the padding behind it.
    pub fn find(&self, svma: Svma) -> Option<Place> {
        let behind = self.functions.partition_point(|function| function.start <= svma);
        let function = behind.checked_sub(1)?;
        let found = &self.functions[function];
        found.reaches(svma).then(|| Place {
            function,
            offset: svma.0 - found.start.0,
        })
    }

    /// Whether the instruction at `svma` is a return.
    pub fn is_return(&self, svma: Svma) -> bool {
        self.code.class_at(svma) == Some(InstructionClass::Return)
    }

    /// The blocks of a function; `None` where BOLT has none.
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

    /// Where direct branches of all functions go outside of their own.
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
