//! Coroutines, which LLVM splits into several functions after profiles were applied.

use crate::combine::{Checksums, merge_same_functions};
use crate::{NameId, Profile};

/// What LLVM's CoroSplit appends to a coroutine's name for the parts that it splits off: what runs from one suspension to the next, what
/// destroys the coroutine, and the same where its frame was not allocated.
const PARTS: [&[u8]; 3] = [b".resume", b".destroy", b".cleanup"];

impl Profile {
    /// Gives the counts of the parts of coroutines to the coroutines: `X.resume` to `X`. Lines of both count from the same line. When a
    /// compiler applies a profile, coroutines are still whole, so it finds no function for the name of a part.
    ///
    /// Head samples of parts are left out: to resume a coroutine is not to enter it. Returns how many functions were parts. Profiles with
    /// contexts stay as they are.
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

    /// The coroutine that a function of this name is a part of.
    fn coroutine_of(&mut self, name: NameId) -> Option<NameId> {
        let text = self.names.get(name).text()?;
        let coroutine = PARTS.iter().find_map(|part| text.strip_suffix(*part))?;
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
