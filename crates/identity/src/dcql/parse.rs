//! Questions as JSON, in both directions.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{ClaimPath, ClaimQuery, ClaimStep, CredentialQuery, CredentialSet, Query, QueryError};
use crate::{
    limits::{
        CLAIM_DEPTH_MAX, QUERY_CLAIMS_MAX, QUERY_CREDENTIALS_MAX, QUERY_OPTIONS_MAX,
        QUERY_SETS_MAX, QUERY_TEXT_BYTES_MAX, QUERY_VALUES_MAX,
    },
    sd_jwt::CREDENTIAL_TYPE,
};

type Members = Map<String, Value>;

impl Query {
    /// Reads a question.
    ///
    /// # Errors
    /// The first [`QueryError`] that applies.
    pub fn parse(value: &Value) -> Result<Self, QueryError> {
        let members = value.as_object().ok_or(QueryError::Form("dcql_query"))?;
        let list = some(members, "credentials", QUERY_CREDENTIALS_MAX)?;
        let credentials: Vec<_> = list.iter().map(credential).collect::<Result<_, _>>()?;
        let ids: BTreeSet<&str> = credentials.iter().map(|one| one.id.as_str()).collect();
        if ids.len() != credentials.len() {
            return Err(QueryError::Id);
        }
        let sets: Vec<_> = match members.get("credential_sets") {
            None => Vec::new(),
            Some(_) => some(members, "credential_sets", QUERY_SETS_MAX)?
                .iter()
                .map(set)
                .collect::<Result<_, _>>()?,
        };
        let mut named = sets.iter().flat_map(|set| set.options.iter().flatten());
        if named.any(|id| !ids.contains(id.as_str())) {
            return Err(QueryError::Id);
        }
        Ok(Self { credentials, sets })
    }

    /// The question as JSON.
    pub fn to_json(&self) -> Value {
        let credentials: Vec<Value> = self.credentials.iter().map(credential_json).collect();
        let mut query = json!({ "credentials": credentials });
        if !self.sets.is_empty() {
            let set =
                |set: &CredentialSet| json!({ "options": set.options, "required": set.required });
            query["credential_sets"] = self.sets.iter().map(set).collect();
        }
        query
    }
}

fn credential(value: &Value) -> Result<CredentialQuery, QueryError> {
    let members = value.as_object().ok_or(QueryError::Form("credentials"))?;
    let id = text(members, "id")?;
    if !is_id(&id) {
        return Err(QueryError::Form("id"));
    }
    if text(members, "format")? != CREDENTIAL_TYPE {
        return Err(QueryError::Unsupported("format"));
    }
    if members.get("multiple").is_some_and(|value| *value != false) {
        return Err(QueryError::Unsupported("multiple"));
    }
    let binding = members.get("require_cryptographic_holder_binding");
    if binding.is_some_and(|value| *value != true) {
        return Err(QueryError::Unsupported("require_cryptographic_holder_binding"));
    }
    for unknown in ["claim_sets", "trusted_authorities"] {
        if members.contains_key(unknown) {
            return Err(QueryError::Unsupported(unknown));
        }
    }
    let meta = members.get("meta").and_then(Value::as_object).ok_or(QueryError::Form("meta"))?;
    let types = some(meta, "vct_values", QUERY_VALUES_MAX)?;
    let types = types.iter().map(|value| plain(value, "vct_values")).collect::<Result<_, _>>()?;
    let claims = match members.get("claims") {
        None => Vec::new(),
        Some(_) => some(members, "claims", QUERY_CLAIMS_MAX)?
            .iter()
            .map(claim)
            .collect::<Result<_, _>>()?,
    };
    Ok(CredentialQuery { id, types, claims })
}

fn claim(value: &Value) -> Result<ClaimQuery, QueryError> {
    let members = value.as_object().ok_or(QueryError::Form("claims"))?;
    let path = some(members, "path", CLAIM_DEPTH_MAX)?;
    let path = ClaimPath(path.iter().map(step).collect::<Result<_, _>>()?);
    if !matches!(path.0.first(), Some(ClaimStep::Name(_))) {
        return Err(QueryError::Form("path"));
    }
    let values = match members.get("values") {
        None => Vec::new(),
        Some(_) => some(members, "values", QUERY_VALUES_MAX)?.to_vec(),
    };
    for value in &values {
        match value {
            Value::Bool(_) => {}
            Value::Number(number) if !number.is_f64() => {}
            Value::String(_) => drop(plain(value, "values")?),
            _ => return Err(QueryError::Form("values")),
        }
    }
    // Which elements to show would depend on what is in them.
    if !values.is_empty() && path.0.contains(&ClaimStep::Every) {
        return Err(QueryError::Unsupported("values of a list"));
    }
    Ok(ClaimQuery { path, values })
}

fn step(value: &Value) -> Result<ClaimStep, QueryError> {
    match value {
        Value::Null => Ok(ClaimStep::Every),
        Value::Number(_) => Err(QueryError::Unsupported("a number in a path")),
        _ => plain(value, "path").map(ClaimStep::Name),
    }
}

fn set(value: &Value) -> Result<CredentialSet, QueryError> {
    let members = value.as_object().ok_or(QueryError::Form("credential_sets"))?;
    let option = |option: &Value| {
        let ids = option.as_array().filter(|ids| !ids.is_empty());
        let ids = ids.ok_or(QueryError::Form("options"))?;
        if ids.len() > QUERY_CREDENTIALS_MAX {
            return Err(QueryError::TooMany("options"));
        }
        ids.iter().map(|id| plain(id, "options")).collect::<Result<Vec<String>, _>>()
    };
    let options = some(members, "options", QUERY_OPTIONS_MAX)?;
    let options = options.iter().map(option).collect::<Result<_, _>>()?;
    let required = match members.get("required") {
        None => true,
        Some(value) => value.as_bool().ok_or(QueryError::Form("required"))?,
    };
    Ok(CredentialSet { options, required })
}

/// A list that must be there and not be empty.
fn some<'a>(
    members: &'a Members,
    name: &'static str,
    max: usize,
) -> Result<&'a [Value], QueryError> {
    let list = members.get(name).and_then(Value::as_array).filter(|list| !list.is_empty());
    let list = list.ok_or(QueryError::Form(name))?;
    if list.len() > max { Err(QueryError::TooMany(name)) } else { Ok(list) }
}

fn text(members: &Members, name: &'static str) -> Result<String, QueryError> {
    plain(members.get(name).unwrap_or(&Value::Null), name)
}

fn plain(value: &Value, name: &'static str) -> Result<String, QueryError> {
    let text = value.as_str().filter(|text| !text.is_empty()).ok_or(QueryError::Form(name))?;
    if text.len() > QUERY_TEXT_BYTES_MAX {
        Err(QueryError::TooMany("letters"))
    } else {
        Ok(text.to_owned())
    }
}

/// "Alphanumeric, underscore or hyphen" (OpenID4VP 1.0, 6.1).
fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn credential_json(query: &CredentialQuery) -> Value {
    let mut credential = json!({
        "id": query.id, "format": CREDENTIAL_TYPE, "meta": { "vct_values": query.types },
    });
    if !query.claims.is_empty() {
        credential["claims"] = query.claims.iter().map(claim_json).collect();
    }
    credential
}

fn claim_json(query: &ClaimQuery) -> Value {
    let step = |step: &ClaimStep| match step {
        ClaimStep::Name(name) => Value::from(name.as_str()),
        ClaimStep::Every => Value::Null,
    };
    let path: Vec<Value> = query.path.0.iter().map(step).collect();
    let mut claim = json!({ "path": path });
    if !query.values.is_empty() {
        claim["values"] = query.values.clone().into();
    }
    claim
}
