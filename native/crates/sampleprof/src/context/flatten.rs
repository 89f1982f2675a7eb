use crate::combine::{Checksums, merge_same_functions, normalize};
use crate::positions::{FunctionKey, Positions};
use crate::{BodyRecord, CallTarget, ContextId, FunctionSamples, LineLocation, Profile};

impl Profile {
    /// Makes one profile of each function of all that it has: in other contexts, or where it is inlined
    /// (LLVM: `ProfileConverter::flattenProfile`).
    ///
    /// Of functions with different checksums only those contexts stay that agree with the first one, in the order of
    /// the contexts. Returns how many were left out.
    pub fn flatten(&mut self) -> u64 {
        if self.flags.context_sensitive {
            self.drop_contexts()
        } else {
            self.lift_inlinees();
            0
        }
    }

    /// Adds up the contexts of each function.
    fn drop_contexts(&mut self) -> u64 {
        let mut functions = std::mem::take(&mut self.functions);
        functions.sort_by(|a, b| self.full_name(a).cmp(&self.full_name(b)));
        for function in &mut functions {
            function.context = ContextId::BASE;
            // Of the leaf of a context, which is gone.
            function.attributes = 0;
        }
        let mismatches = merge_same_functions(&mut functions, &self.names, Checksums::Match);
        self.functions = functions;
        self.contexts = crate::ContextTable::default();
        self.flags.context_sensitive = false;
        mismatches
    }

    /// Makes functions of their own of what is inlined, and calls of the places where it was.
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
        // A function that occurs again keeps the checksum and the attributes that it had first.
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

/// A call, in place of what was inlined there.
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
