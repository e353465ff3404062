//! What a module takes from JavaScript, under short names.
//!
//! wasm-bindgen names an import by what it is and a hash. No reader sees these names, they only have to
//! be the same in the wasm and in the script beside it; and a hash does not compress.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};

/// Magic and version of a module.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";
/// The section of imports.
const IMPORTS: u8 = 2;
/// An import that is a function.
const FUNCTION: u8 = 0;

/// Shortens the names of imports in a module and in its script, in place.
pub(super) fn shorten(wasm: &Path, script: &Path) -> Result<()> {
    let module = fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?;
    let text =
        fs::read_to_string(script).with_context(|| format!("reading {}", script.display()))?;
    let mut names = BTreeMap::new();
    let module = renamed(&module, &mut names).context("shortening names of imports")?;
    let text = renamed_script(&text, &names)?;
    fs::write(wasm, module).with_context(|| format!("writing {}", wasm.display()))?;
    fs::write(script, text).with_context(|| format!("writing {}", script.display()))
}

/// The module with short names; `names` becomes old names and new ones.
fn renamed(module: &[u8], names: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut rest = module.strip_prefix(HEADER).context("not a module of WebAssembly")?;
    let mut made = HEADER.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        let section = taken_list(&mut rest)?;
        made.push(id);
        if id == IMPORTS {
            put_list(&mut made, &renamed_imports(section, names)?);
        } else {
            put_list(&mut made, section);
        }
    }
    Ok(made)
}

fn renamed_imports(mut section: &[u8], names: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
    let count = taken_number(&mut section)?;
    let mut made = Vec::new();
    put_number(&mut made, count);
    for _ in 0..count {
        put_list(&mut made, taken_list(&mut section)?);
        let old = std::str::from_utf8(taken_list(&mut section)?)?.to_owned();
        let short = short(names.len());
        put_list(&mut made, names.entry(old).or_insert(short).as_bytes());
        let (&kind, after) = section.split_first().context("an import of no kind")?;
        ensure!(kind == FUNCTION, "an import that is no function");
        section = after;
        made.push(kind);
        put_number(&mut made, taken_number(&mut section)?);
    }
    Ok(made)
}

/// The script with these names where it defines them, each once.
fn renamed_script(script: &str, names: &BTreeMap<String, String>) -> Result<String> {
    let mut script = script.to_owned();
    for (old, new) in names {
        let definition = format!(" {old}: function(");
        let found = script.matches(&definition).count();
        ensure!(found == 1, "the script defines {old} {found} times");
        script = script.replace(&definition, &format!(" {new}: function("));
    }
    Ok(script)
}

/// The name of this number: `a` to `z`, `aa` to `zz`, and so on.
fn short(mut number: usize) -> String {
    let mut name = Vec::new();
    loop {
        name.insert(0, b"abcdefghijklmnopqrstuvwxyz"[number % 26]);
        if number < 26 {
            return name.into_iter().map(char::from).collect();
        }
        number = number / 26 - 1;
    }
}

/// A number of WebAssembly (LEB128).
fn taken_number(bytes: &mut &[u8]) -> Result<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, after) = bytes.split_first().context("a module that is cut off")?;
        *bytes = after;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(number);
        }
    }
    bail!("a number of more than 32 bits")
}

fn put_number(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.extend(u8::try_from(number & 0x7f).map(|low| low | 0x80));
        number >>= 7;
    }
    bytes.extend(u8::try_from(number));
}

/// Bytes after their count.
fn taken_list<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8]> {
    let length = taken_number(bytes)?;
    let (list, after) = bytes.split_at_checked(length).context("a module that is cut off")?;
    *bytes = after;
    Ok(list)
}

fn put_list(bytes: &mut Vec<u8>, list: &[u8]) {
    put_number(bytes, list.len());
    bytes.extend_from_slice(list);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that imports functions of these names from `m`, and has one more section.
    fn module(names: &[&str]) -> Vec<u8> {
        let mut imports = Vec::new();
        put_number(&mut imports, names.len());
        for name in names {
            put_list(&mut imports, b"m");
            put_list(&mut imports, name.as_bytes());
            imports.extend([FUNCTION, 0x83, 0x02]);
        }
        let mut module = HEADER.to_vec();
        module.push(IMPORTS);
        put_list(&mut module, &imports);
        module.push(10);
        put_list(&mut module, b"code");
        module
    }

    #[test]
    fn both_files_get_the_same_names() {
        let long = "__wbg_now_0123456789abcdef".repeat(10);
        let mut names = BTreeMap::new();
        let made = renamed(&module(&[&long, "__wbg_at_00"]), &mut names).unwrap();
        assert_eq!(made, module(&["a", "b"]));
        let script = format!("{{\n  {long}: function() {{}},\n  __wbg_at_00: function(x) {{}}\n}}");
        let made = renamed_script(&script, &names).unwrap();
        assert_eq!(made, "{\n  a: function() {},\n  b: function(x) {}\n}");
    }

    #[test]
    fn a_script_that_lacks_one_and_a_module_that_ends_early_are_refused() {
        let mut names = BTreeMap::new();
        let whole = module(&["x"]);
        for length in 0..whole.len() - 6 {
            let made = renamed(&whole[..length], &mut BTreeMap::new());
            assert!(made.is_err() || length == HEADER.len());
        }
        renamed(&whole, &mut names).unwrap();
        assert!(renamed_script("{ xx: function() {} }", &names).is_err());
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let names = [0, 25, 26, 27, 701, 702].map(short);
        assert_eq!(names, ["a", "z", "aa", "ab", "zz", "aaa"]);
    }
}
