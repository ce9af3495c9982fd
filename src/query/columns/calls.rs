//! Columns of calls of AWS.

use crate::query::value::Value;

columns!(calls, |row, ctx| {
    Always called_at "AGE" Moment [] "when its first request left" => Value::Moment(row.at);
    Always account "ACCOUNT" Text [] "account it was for" => Value::text(&row.scope.account);
    Always region "REGION" Text [] "region it was for" => Value::text(&row.scope.region);
    Always call "CALL" Text [] "the call as IAM spells it" => Value::text(&row.call);
    Always duration "DURATION" Span [] "from the first request to the last answer" => Value::Span(row.took);
    Always attempts "ATTEMPTS" Count [] "requests sent, retries included" => Value::count(row.attempts);
    Always result "RESULT" Text [] "ok (also a dry run that AWS would do), dropped, or the sort of trouble" => Value::text(row.outcome.word());
    Always code "CODE" Text [] "AWS's error code" => Value::maybe_text(row.outcome.code());
    Always cost "COST" Dollars [] "what AWS bills for it, as far as is known" => Value::Dollars(row.cost);
    Wide throttles "THROTTLES" Count [] "requests of it that AWS throttled" => Value::count(row.throttles);
    Wide bucket "BUCKET" Text [] "the token bucket that it drank from" => Value::text(&row.family);
    Wide login "LOGIN" Text [] "whose credentials it was signed with" => Value::maybe_text(Some(&row.login));
    Wide request_id "REQUEST ID" Text [] "AWS's id of the last request" =>
        Value::maybe_text(row.request_id.as_ref());
    Wide id "ID" Text [] "our own id of it" => Value::text(&row.id);
    Wide command "COMMAND" Text [] "the aws command that asks the same again" =>
        Value::maybe_text(Some(&row.command));
    Named age "AGE" Span [] "time since its first request left" => Value::age(Some(row.at), ctx.now);
});
