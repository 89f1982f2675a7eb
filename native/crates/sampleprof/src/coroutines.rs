//! Coroutines, which LLVM splits into several functions after the profile was applied.

use crate::combine::{Checksums, merge_same_functions};
use crate::{NameId, Profile};

/// Suffixes that LLVM's CoroSplit appends to the name of a coroutine for its parts: the code from one suspension to
/// the next, the code that destroys the coroutine, and the code that destroys a coroutine whose frame was not
/// allocated.
const PART_SUFFIXES: [&[u8]; 3] = [b".resume", b".destroy", b".cleanup"];

impl Profile {
    /// Adds the counts of the parts of coroutines to the coroutines: `X.resume` to `X`. Line offsets of a part and of
    /// its coroutine count from the same line. When a compiler applies a profile, coroutines are still whole, so the
    /// compiler finds no function that has the name of a part.
    ///
    /// Head samples of parts are left out, because resuming a coroutine does not enter the coroutine. Returns the
    /// number of functions that were parts. A profile with contexts stays as it is.
    pub fn fold_coroutine_parts(&mut self) -> usize {
        if self.flags.context_sensitive {
            return 0;
        }
        let mut parts = 0;
        for index in 0..self.functions.len() {
            if let Some(coroutine) = self.coroutine_of(self.functions[index].name) {
                let part = &mut self.functions[index];
                part.name = coroutine;
                part.head = 0;
                parts += 1;
            }
        }
        if parts > 0 {
            merge_same_functions(&mut self.functions, &self.names, Checksums::Replace);
        }
        parts
    }

    /// Returns the coroutine that the function `name` is a part of, or `None` if the function is not a part.
    fn coroutine_of(&mut self, name: NameId) -> Option<NameId> {
        let text = self.names.get(name).text()?;
        let coroutine = PART_SUFFIXES.iter().find_map(|part| text.strip_suffix(*part))?;
        if coroutine.is_empty() {
            return None;
        }
        let coroutine = coroutine.to_vec();
        Some(self.names.intern(&coroutine))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Format, WriteOptions, read, write};

    #[test]
    fn parts_are_added_to_their_coroutine() {
        let text = "f.resume:30:9\n 1: 10\n 2: 20 g:20\n\
                    f:5:2\n 0: 2\n 1: 3\n\
                    f.destroy:1:1\n 2: 1\n\
                    h.resume:4:4\n 3: g:4\n  1: 4\n\
                    .resume:1:1\n 1: 1\n\
                    k.resumed:1:1\n 1: 1\n";
        let mut profile = read(text.as_bytes(), "text").expect("a profile");
        assert_eq!(profile.fold_coroutine_parts(), 3);
        let options = WriteOptions {
            format: Format::Text,
            ..WriteOptions::default()
        };
        let written = write(&profile, &options).expect("written");
        assert_eq!(
            String::from_utf8_lossy(&written),
            "f:36:2\n 0: 2\n 1: 13\n 2: 21 g:20\nh:4:0\n 3: g:4\n  1: 4\n.resume:1:1\n 1: 1\nk.resumed:1:1\n 1: 1\n"
        );
        assert_eq!(profile.fold_coroutine_parts(), 0);
    }
}
