use crate::combine::{Checksums, merge_same_functions, normalize};
use crate::positions::{FunctionKey, Positions};
use crate::{BodyRecord, CallTarget, ContextId, FunctionSamples, LineLocation, Profile};

impl Profile {
    /// Adds up all counts of each function, from all its contexts or from all places where it is inlined (LLVM:
    /// `ProfileConverter::flattenProfile`).
    ///
    /// If a function has different checksums, only the contexts with the checksum of the first context stay, in the
    /// order of the contexts. Returns the number of contexts that were left out.
    pub fn flatten(&mut self) -> u64 {
        if self.flags.context_sensitive {
            self.drop_contexts()
        } else {
            self.lift_inlinees();
            0
        }
    }

    /// Adds up the contexts of each function. Returns the number of contexts that were left out.
    fn drop_contexts(&mut self) -> u64 {
        let mut functions = std::mem::take(&mut self.functions);
        functions.sort_by(|a, b| self.full_name(a).cmp(&self.full_name(b)));
        for function in &mut functions {
            function.context = ContextId::BASE;
            // The attributes describe the context, which is removed.
            function.attributes = 0;
        }
        let mismatches = merge_same_functions(&mut functions, &self.names, Checksums::Match);
        self.functions = functions;
        self.contexts = crate::ContextTable::default();
        self.flags.context_sensitive = false;
        mismatches
    }

    /// Makes each inlined function a function of its own, and records a call at the place where it was inlined.
    fn lift_inlinees(&mut self) {
        let mut flattening = Flattening {
            positions: Positions::new(self.names.len()),
            functions: Vec::with_capacity(self.functions.len()),
        };
        let mut functions = std::mem::take(&mut self.functions);
        functions.sort_by(|a, b| self.names.compare(a.name, b.name));
        for function in functions {
            flattening.add(function);
        }
        self.functions = flattening.functions;
        for function in &mut self.functions {
            normalize(function, &self.names);
            function.head = function.head_estimate();
        }
    }
}

struct Flattening {
    positions: Positions,
    functions: Vec<FunctionSamples>,
}

impl Flattening {
    fn add(&mut self, mut function: FunctionSamples) {
        let inlinees = std::mem::take(&mut function.inlinees);
        let mut total = std::mem::take(&mut function.total);
        // A function that occurs again keeps its first checksum and its first attributes.
        let known = self
            .positions
            .find_or_insert(FunctionKey::of(&function), self.functions.len());
        let position = known.unwrap_or(self.functions.len());
        match known {
            Some(position) => self.functions[position].body.append(&mut function.body),
            None => self.functions.push(function),
        }
        for (location, callee) in inlinees {
            let entries = callee.head_estimate();
            self.functions[position].body.push(call(location, &callee, entries));
            total = total.saturating_sub(callee.total).wrapping_add(entries);
            self.add(callee);
        }
        let sum = &mut self.functions[position].total;
        *sum = sum.saturating_add(total);
    }
}

/// Makes the record of a call that takes the place of an inlined function.
fn call(location: LineLocation, callee: &FunctionSamples, entries: u64) -> BodyRecord {
    BodyRecord {
        location,
        count: entries,
        targets: vec![CallTarget {
            name: callee.name,
            count: entries,
        }],
    }
}
