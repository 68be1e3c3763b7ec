//! What changed between two looks, as JSON: recordings hold a whole look now and then, and between
//! them only this.
//!
//! A changed object is an object of its changed members, with the names of the lost ones under `-`.
//! A list of things that have a name of their own (processes by pid, cgroups by path) is an object
//! with the changed ones under `*` and the names of the lost ones under `-`. Everything else is
//! written whole; under `=`, where it has such members itself.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

/// The members that were lost.
const LOST: &str = "-";
/// The things of a list that changed.
const CHANGED: &str = "*";
/// The value as it is, where it would be taken for what changed.
const WHOLE: &str = "=";

/// The lists of things with a name, and which member is the name.
const LISTS: &[(&str, &str)] = &[("processes", "pid"), ("list", "path")];

fn name_in(key: &str) -> Option<&'static str> {
    LISTS.iter().find(|(list, _)| *list == key).map(|(_, name)| *name)
}

/// What has to be done to `old` to get `new`; nothing where they are equal.
#[must_use]
pub fn diff(old: &Value, new: &Value) -> Option<Value> {
    between("", old, new)
}

fn between(key: &str, old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    Some(match (old, new, name_in(key)) {
        (Value::Object(old), Value::Object(new), _) if !marked(old) => {
            Value::Object(members(old, new))
        }
        (Value::Object(_), Value::Object(_), _) => json!({ WHOLE: new }),
        (Value::Array(old), Value::Array(new), Some(name)) => {
            things(old, new, name).unwrap_or_else(|| Value::Array(new.clone()))
        }
        _ => new.clone(),
    })
    .map(|delta| match new {
        Value::Object(object) if marked(object) => json!({ WHOLE: new }),
        _ => delta,
    })
}

/// Whether an object has a member that would be taken for a mark.
fn marked(object: &Map<String, Value>) -> bool {
    [LOST, CHANGED, WHOLE].iter().any(|mark| object.contains_key(*mark))
}

fn members(old: &Map<String, Value>, new: &Map<String, Value>) -> Map<String, Value> {
    let mut changed = Map::new();
    for (key, value) in new {
        let is = match old.get(key) {
            Some(was) => between(key, was, value),
            None => Some(value.clone()),
        };
        if let Some(is) = is {
            changed.insert(key.clone(), is);
        }
    }
    let lost: Vec<Value> =
        old.keys().filter(|key| !new.contains_key(*key)).map(|key| key.as_str().into()).collect();
    if !lost.is_empty() {
        changed.insert(LOST.to_owned(), lost.into());
    }
    changed
}

/// By name; nothing where something has none, or two have the same. The order of the new list is kept
/// by sorting what came out by name where the old one was in that order; else it is written whole.
fn things(old: &[Value], new: &[Value], name: &str) -> Option<Value> {
    let old_by_name = by_name(old, name)?;
    let new_by_name = by_name(new, name)?;
    let mut changed = Vec::new();
    for (thing, key) in new.iter().zip(new.iter().filter_map(|thing| key_of(thing, name))) {
        let Some(was) = old_by_name.get(&key).and_then(|&at| old.get(at)) else {
            changed.push(thing.clone());
            continue;
        };
        if let Some(Value::Object(mut members)) = between("", was, thing) {
            members.insert(name.to_owned(), thing.get(name)?.clone());
            changed.push(Value::Object(members));
        }
    }
    let lost: Vec<Value> = old
        .iter()
        .filter(|thing| key_of(thing, name).is_some_and(|key| !new_by_name.contains_key(&key)))
        .filter_map(|thing| thing.get(name).cloned())
        .collect();
    let mut object = Map::new();
    object.insert(CHANGED.to_owned(), changed.into());
    if !lost.is_empty() {
        object.insert(LOST.to_owned(), lost.into());
    }
    let object = Value::Object(object);
    // What cannot be put together again in its order is written whole.
    let again = put_things(old, object.as_object()?, name);
    (again.as_slice() == new).then_some(object)
}

fn key_of(thing: &Value, name: &str) -> Option<String> {
    match thing.as_object().filter(|object| !marked(object))?.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn by_name(things: &[Value], name: &str) -> Option<HashMap<String, usize>> {
    let mut found = HashMap::with_capacity(things.len());
    for (at, thing) in things.iter().enumerate() {
        if found.insert(key_of(thing, name)?, at).is_some() {
            return None;
        }
    }
    Some(found)
}

/// Does to `old` what [`diff`] found. Whatever comes in, a value comes out: a recording may come from
/// anybody, and what is no look is refused afterwards.
#[must_use]
pub fn apply(old: &Value, delta: &Value) -> Value {
    put("", old, delta)
}

fn put(key: &str, old: &Value, delta: &Value) -> Value {
    if let Some(whole) = delta.get(WHOLE) {
        return whole.clone();
    }
    match (old, delta, name_in(key)) {
        (Value::Array(old), Value::Object(delta), Some(name)) if delta.contains_key(CHANGED) => {
            Value::Array(put_things(old, delta, name))
        }
        (Value::Object(old), Value::Object(delta), _) => Value::Object(put_members(old, delta)),
        _ => delta.clone(),
    }
}

fn put_members(old: &Map<String, Value>, delta: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = old.clone();
    for lost in delta.get(LOST).and_then(Value::as_array).into_iter().flatten() {
        if let Some(key) = lost.as_str() {
            whole.remove(key);
        }
    }
    for (key, value) in delta.iter().filter(|(key, _)| *key != LOST) {
        let is = match old.get(key) {
            Some(was) => put(key, was, value),
            None => value.clone(),
        };
        whole.insert(key.clone(), is);
    }
    whole
}

fn put_things(old: &[Value], delta: &Map<String, Value>, name: &str) -> Vec<Value> {
    let list = |key: &str| delta.get(key).and_then(Value::as_array).into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let lost: HashSet<String> = list(LOST).map(text).collect();
    let mut changed: HashMap<String, &Value> =
        list(CHANGED).filter_map(|thing| Some((key_of_delta(thing, name)?, thing))).collect();
    let mut whole = Vec::with_capacity(old.len() + changed.len());
    for thing in old {
        let Some(key) = key_of(thing, name).filter(|key| !lost.contains(key)) else { continue };
        whole.push(match changed.remove(&key) {
            Some(delta) => put("", thing, delta),
            None => thing.clone(),
        });
    }
    // New ones stand in the order in which they came: among the others by number, behind them else.
    let known = whole.len();
    for thing in list(CHANGED) {
        let new = key_of_delta(thing, name).is_some_and(|key| changed.remove(&key).is_some());
        if new {
            whole.push(thing.clone());
        }
    }
    if known < whole.len() {
        whole.sort_by_key(|thing| thing.get(name).and_then(Value::as_i64));
    }
    whole
}

fn key_of_delta(thing: &Value, name: &str) -> Option<String> {
    match thing.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(old: &Value, new: &Value) {
        match diff(old, new) {
            None => assert_eq!(old, new),
            Some(delta) => assert_eq!(&apply(old, &delta), new, "{delta}"),
        }
    }

    #[test]
    fn only_what_changed_is_told() {
        let old = json!({"memory": {"free": 1, "total": 9}, "processes": [
            {"pid": 1, "comm": "a", "rss": 5}, {"pid": 7, "comm": "b"}, {"pid": 9, "comm": "c", "x": 1}]});
        let new = json!({"memory": {"free": 2, "total": 9}, "processes": [
            {"pid": 1, "comm": "a", "rss": 6}, {"pid": 8, "comm": "d"}, {"pid": 9, "comm": "c"}]});
        let delta = diff(&old, &new).expect("they differ");
        assert_eq!(
            delta,
            json!({"memory": {"free": 2}, "processes": {"*": [
                {"pid": 1, "rss": 6}, {"pid": 8, "comm": "d"}, {"pid": 9, "-": ["x"]}], "-": [7]}})
        );
        assert_eq!(apply(&old, &delta), new);
        assert_eq!(diff(&new, &new), None);
    }

    #[test]
    fn lists_that_cannot_be_told_by_name_are_whole() {
        for (old, new) in [
            (json!({"processes": [{"pid": 1}, {"pid": 1}]}), json!({"processes": [{"pid": 1}]})),
            (
                json!({"processes": [{"pid": 2}, {"pid": 1}]}),
                json!({"processes": [{"pid": 1}, {"pid": 2}]}),
            ),
            (json!({"list": [{"path": "/b"}]}), json!({"list": [{"path": "/a"}, {"path": "/b"}]})),
            (json!({"list": [1, 2]}), json!({"list": [2]})),
            (json!({"a": {"-": 1}}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": 1}}), json!({"a": {"*": [1]}})),
        ] {
            holds(&old, &new);
            holds(&new, &old);
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0_i64..4).prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            let keys = prop_oneof![
                "[a-b]",
                Just("pid".to_owned()),
                Just("path".to_owned()),
                Just("processes".to_owned()),
                Just("list".to_owned()),
                Just("-".to_owned()),
                Just("*".to_owned())
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(keys, inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_changes_comes_back(old in any_value(), new in any_value()) {
            holds(&old, &new);
        }

        #[test]
        fn any_delta_is_survived(old in any_value(), delta in any_value()) {
            let _ = apply(&old, &delta);
        }
    }
}
