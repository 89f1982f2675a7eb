//! Checks that no two files of a crate use each other, directly or through others, and that no two rooms (folders)
//! of `profgen` do. So each crate can be read from its leaves upwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A module as the list of names on the way to it. The list of the crate itself is empty.
type Module = Vec<String>;

/// The module at which a path in a file begins.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    Crate,
    Super(usize),
    /// The module of the file, or a module that the file declares.
    Here,
}

/// A source file: the paths that it names, and the names that it imports.
#[derive(Default)]
struct File {
    paths: Vec<Module>,
    /// Words in the file outside of `use`.
    words: BTreeSet<String>,
    /// Imported paths, by the name under which other files find them here.
    imports: BTreeMap<String, Module>,
    globs: Vec<Module>,
}

/// The files or rooms that each file or room uses.
type Uses = BTreeMap<Module, BTreeSet<Module>>;

/// The files of a crate, by module.
struct Crate(BTreeMap<Module, File>);

impl Crate {
    fn read(folder: &Path) -> Self {
        let mut sources = BTreeMap::new();
        collect(folder, &mut Vec::new(), &mut sources);
        Self::parse(&sources)
    }

    fn parse(sources: &BTreeMap<Module, String>) -> Self {
        let files = sources.iter().map(|(module, text)| {
            let tokens: TokenStream = text.parse().expect("Rust");
            let mut file = File::default();
            file.scan(&tokens.into_iter().collect::<Vec<_>>(), module, sources);
            (module.clone(), file)
        });
        Self(files.collect())
    }

    /// Returns the modules whose files define the item that `path` names. Follows re-exports.
    fn definition(&self, path: &[String], depth: usize) -> BTreeSet<Module> {
        let mut module = path;
        while !self.0.contains_key(module) {
            module = &module[..module.len() - 1];
        }
        let file = &self.0[module];
        let rest = &path[module.len()..];
        let follow = |target: &Module, rest: &[String]| {
            let path: Vec<String> = target.iter().chain(rest).cloned().collect();
            self.definition(&path, depth + 1)
        };
        assert!(depth < 100, "{path:?} is re-exported in a circle");
        match rest.first() {
            Some(name) if file.imports.contains_key(name) => follow(&file.imports[name], &rest[1..]),
            Some(_) if !file.globs.is_empty() => {
                let everywhere = file.globs.iter().flat_map(|target| follow(target, &[]));
                everywhere.chain([module.to_vec()]).collect()
            }
            _ => BTreeSet::from([module.to_vec()]),
        }
    }

    /// Returns the files that each file uses.
    fn uses(&self) -> Uses {
        let of = |module: &Module, file: &File| {
            let imported = file.imports.iter().filter(|(name, _)| file.words.contains(*name));
            let named = file
                .paths
                .iter()
                .chain(imported.map(|(_, path)| path))
                .chain(&file.globs);
            let all = named.flat_map(|path| self.definition(path, 0));
            all.filter(|used| used != module).collect()
        };
        self.0
            .iter()
            .map(|(module, file)| (module.clone(), of(module, file)))
            .collect()
    }
}

/// Reads the sources below a folder, except files that have only tests.
fn collect(folder: &Path, module: &mut Module, sources: &mut BTreeMap<Module, String>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("readable").path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .expect("a name")
            .to_owned();
        if path.is_dir() {
            module.push(name);
            collect(&path, module, sources);
            module.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("_tests") {
            let own = if name == "lib" || name == "mod" {
                None
            } else {
                Some(name)
            };
            let module = module.iter().cloned().chain(own).collect();
            sources.insert(module, fs::read_to_string(&path).expect("text"));
        }
    }
}

impl File {
    fn scan(&mut self, tokens: &[TokenTree], module: &Module, all: &BTreeMap<Module, String>) {
        let mut rest = tokens;
        let mut is_public = false;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            match first {
                TokenTree::Punct(mark) if mark.as_char() == '#' => {
                    if let [TokenTree::Group(attribute), behind @ ..] = rest {
                        rest = behind;
                        if attribute.stream().to_string().replace(' ', "") == "cfg(test)" {
                            rest = behind_item(rest);
                        }
                    }
                }
                // `pub(in path)` says who may use the item. The path itself uses nothing.
                TokenTree::Group(group) if is_public && group.delimiter() == Delimiter::Parenthesis => continue,
                TokenTree::Group(group) => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.scan(&inner, module, all);
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end = rest.iter().position(|token| is_mark(token, ';')).unwrap_or(rest.len());
                    self.add_use(&rest[..end], is_public, module, all);
                    rest = &rest[end..];
                }
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    continue;
                }
                TokenTree::Ident(word) => {
                    self.words.insert(word.to_string());
                    let Some(start) = start_of(&word.to_string(), module, all) else {
                        is_public = false;
                        continue;
                    };
                    let mut path = vec![word.to_string()];
                    while let [a, b, TokenTree::Ident(next), behind @ ..] = rest
                        && is_mark(a, ':')
                        && is_mark(b, ':')
                    {
                        path.push(next.to_string());
                        self.words.insert(next.to_string());
                        rest = behind;
                    }
                    if path.len() > 1 {
                        self.paths.extend(absolute(start, &path, module));
                    }
                }
                _ => {}
            }
            is_public = false;
        }
    }

    /// Adds the paths that a `use` declaration names. A public `use` re-exports its path, so it counts only if the
    /// file names the path elsewhere.
    fn add_use(&mut self, tree: &[TokenTree], is_public: bool, module: &Module, all: &BTreeMap<Module, String>) {
        let mut leaves = Vec::new();
        expand(tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let Some(start) = start_of(&path[0], module, all) else {
                continue;
            };
            let Some(mut target) = absolute(start, &path, module) else {
                continue;
            };
            if !is_public {
                self.paths.push(target.clone());
            }
            if name == "*" {
                self.globs.push(target.clone());
            } else {
                if target.last().is_some_and(|last| last == "self") {
                    target.pop();
                }
                self.imports.insert(name, target.clone());
            }
        }
    }
}

/// Returns the paths of a tree such as `a::{b, c::d as e}`, and the names that they get.
fn expand(tree: &[TokenTree], before: &mut Module, leaves: &mut Vec<(Module, String)>) {
    for branch in tree.split(|token| is_mark(token, ',')) {
        let depth = before.len();
        let mut name = None;
        let mut renamed = false;
        for token in branch {
            match token {
                TokenTree::Ident(word) if word == "as" => renamed = true,
                TokenTree::Ident(word) if renamed => name = Some(word.to_string()),
                TokenTree::Ident(word) if word == "self" && before.len() > depth.max(1) => {
                    name = before.last().cloned()
                }
                TokenTree::Ident(word) => {
                    before.push(word.to_string());
                    name = Some(word.to_string());
                }
                TokenTree::Punct(mark) if mark.as_char() == '*' => name = Some("*".to_owned()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    expand(&inner, before, leaves);
                    name = None;
                }
                _ => {}
            }
        }
        if let Some(name) = name {
            let name = if name == "self" {
                before[depth.saturating_sub(1)].clone()
            } else {
                name
            };
            leaves.push((before.clone(), name));
        }
        before.truncate(depth);
    }
}

fn start_of(word: &str, module: &Module, all: &BTreeMap<Module, String>) -> Option<Start> {
    match word {
        "crate" => Some(Start::Crate),
        "super" => Some(Start::Super(1)),
        "self" => Some(Start::Here),
        _ => {
            let child: Module = module.iter().cloned().chain([word.to_owned()]).collect();
            all.contains_key(&child).then_some(Start::Here)
        }
    }
}

fn absolute(start: Start, path: &[String], module: &Module) -> Option<Module> {
    let supers = path.iter().take_while(|word| *word == "super").count();
    let base = match start {
        Start::Crate => &[][..],
        Start::Super(_) => &module[..module.len().checked_sub(supers)?],
        Start::Here => module,
    };
    let own = match start {
        Start::Crate => &path[1..],
        Start::Super(_) => &path[supers..],
        Start::Here if path[0] == "self" => &path[1..],
        Start::Here => path,
    };
    Some(base.iter().chain(own).cloned().collect())
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == mark)
}

/// Returns the tokens after an item, which ends with braces or a semicolon.
fn behind_item(tokens: &[TokenTree]) -> &[TokenTree] {
    let end = tokens.iter().position(|token| {
        is_mark(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    });
    end.map_or(&[], |end| &tokens[end + 1..])
}

/// Returns the files or rooms that can be reached from a file or room.
fn reached<'a>(uses: &'a Uses, from: &'a Module) -> BTreeSet<&'a Module> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&Module> = uses[from].iter().collect();
    while let Some(module) = open.pop() {
        if seen.insert(module) {
            open.extend(&uses[module]);
        }
    }
    seen
}

/// Returns the uses that are part of a cycle.
fn circular(uses: &Uses) -> Vec<(&Module, &Module)> {
    let all = uses
        .iter()
        .flat_map(|(module, used)| used.iter().map(move |used| (module, used)));
    all.filter(|(module, used)| reached(uses, used).contains(module))
        .collect()
}

/// Returns the same uses between rooms. A room is a folder of the crate with all its files. A file that is in no
/// folder is a room of its own.
fn between_rooms(uses: &Uses) -> Uses {
    let room = |module: &Module| module[..module.len().min(1)].to_vec();
    let mut rooms = Uses::new();
    for (module, used) in uses {
        let own = room(module);
        let others = used.iter().map(room).filter(|used| *used != own);
        rooms.entry(own.clone()).or_default().extend(others);
    }
    rooms
}

#[test]
fn no_files_use_each_other() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the folder of all crates");
    let mut circles = String::new();
    let mut uses = 0;
    for entry in fs::read_dir(crates).expect("crates") {
        let folder = entry.expect("readable").path();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let files = Crate::read(&folder.join("src")).uses();
        uses += files.values().map(BTreeSet::len).sum::<usize>();
        for (module, used) in circular(&files) {
            let _ = writeln!(circles, "{name}: {} uses {}", module.join("/"), used.join("/"));
        }
    }
    assert!(
        uses > 300,
        "only {uses} uses were found: the sources are not read as they should be"
    );
    assert!(
        circles.is_empty(),
        "these files use each other, directly or through others:\n{circles}"
    );
}

#[test]
fn no_rooms_of_profgen_use_each_other() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../profgen/src");
    let rooms = between_rooms(&Crate::read(&sources).uses());
    assert!(rooms.len() > 10, "only these rooms were found: {:?}", rooms.keys());
    let circles = circular(&rooms);
    assert!(
        circles.is_empty(),
        "these rooms use each other, directly or through others: {circles:?}"
    );
}

#[test]
fn circles_of_rooms_are_found() {
    let module = |name: &str| -> Module { name.split('/').map(str::to_owned).collect() };
    let uses = |files: &[(&str, &[&str])]| -> Uses {
        let of = |used: &[&str]| used.iter().map(|used| module(used)).collect();
        files.iter().map(|(name, used)| (module(name), of(used))).collect()
    };
    let apart = uses(&[
        ("a/one", &["a/two", "b/one"]),
        ("a/two", &[]),
        ("b/one", &["b/two"]),
        ("b/two", &[]),
    ]);
    assert!(circular(&between_rooms(&apart)).is_empty());
    let mutual = uses(&[
        ("a/one", &["b/one"]),
        ("a/two", &[]),
        ("b/one", &[]),
        ("b/two", &["a/two"]),
    ]);
    assert!(circular(&mutual).is_empty());
    assert_eq!(circular(&between_rooms(&mutual)).len(), 2);
}

#[test]
fn circles_are_found_however_a_file_is_named() {
    let circles = |a: &str, b: &str| {
        let lib = "mod a; mod b; mod c; pub use c::Shared; pub use a::First;";
        let c = "pub struct Shared; #[cfg(test)] mod tests { use crate::a::First; }";
        let sources = [("", lib), ("a", a), ("b", b), ("c", c)].map(|(name, text)| {
            let module: Module = name
                .split('/')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect();
            (module, text.to_owned())
        });
        circular(&Crate::parse(&BTreeMap::from(sources)).uses()).len()
    };
    let uses_b = "use crate::b::{self, Second}; pub struct First;";
    assert_eq!(circles(uses_b, "pub struct Second(crate::c::Shared);"), 0);
    for uses_a in [
        "use crate::a::First;",
        "use super::a;",
        "use crate::{Shared, First as Renamed};",
        "fn f() { println!(\"{:?}\", crate::First::new()) }",
        "use crate::a::*;",
        "pub use crate::a::First; pub struct Second(First);",
    ] {
        assert_eq!(circles(uses_b, uses_a), 2, "{uses_a}");
    }
    // A file that only re-exports an item does not use it, and tests may use what they test with.
    assert_eq!(circles(uses_b, "pub use crate::a::First; pub struct Second;"), 0);
    assert_eq!(circles(uses_b, "pub(in crate::a) struct Second;"), 0);
    assert_eq!(circles(uses_b, "#[cfg(test)] mod tests { use crate::a::First; }"), 0);
}
