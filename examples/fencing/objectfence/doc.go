// Package objectfence lets an object store refuse the writes of a Primary whose
// term is over, by the conditional requests of HTTP (RFC 9110 §13.1). It is an
// example: copy it.
//
// # What is promised
//
// Of the writes made by this package to one object, none is done with a term
// lower than that of one that was done before, and each is made from the
// content that it replaces.
//
// # What is not promised
//
//   - One request knows one object: a condition on one does not guard another.
//     An older Primary may write each object until the newer one has touched
//     it. So a tenure begins with [Object.Claim] of every object that the
//     Primary writes, before it reads what matters. Where those are too many
//     to touch, guard one: put the others under names that are never used
//     twice, and write into the guarded one which of them count. What an
//     older Primary leaves behind is then never looked at.
//   - Deleting an object deletes its term. Write an empty one instead.
//   - If a request to write ends without an answer, nobody knows whether it was
//     done; [Object.Read] tells. A client below this package that repeats such
//     a request by itself, as those of the vendors do, can get 412 for its own
//     write, and the change is then made twice: turn that off, or make changes
//     that may be made twice.
//
// # How it works
//
// The content of the object carries the term. To write, read it with its
// entity tag; if its term is newer than ours, stop, with [ErrFenced]; else PUT
// the new content under If-Match with that tag, or If-None-Match: * if there
// was no object. The store compares and writes in one step. If somebody has
// written since it answers 412, and we wait a moment and read again.
//
// Reads say Cache-Control: no-cache (RFC 9111 §5.2.1.4): a cache between us and
// the store would give us a tag that no longer matches, again and again. Behind
// one that does not listen nothing goes wrong but that Write ends with
// [ErrBusy], and that [Object.Read] may be late; ask the store itself.
//
// A Primary that is stopped between its read and its PUT, or whose PUT is under
// way for long, has a tag that no longer matches as soon as the newer Primary
// has touched the object.
//
// The term stands in the content and not beside it, for some stores make the
// tag from the content alone (S3: MD5 for a plain PUT). Touching the object
// with the same content would leave the tag as it was, and the late write would
// match. With the term in it, no content of one term is that of another.
//
// # Stores
//
//	RFC 9110, S3, Azure Blob  If-Match: "tag"                  If-None-Match: *
//	Cloud Storage, XML API    x-goog-if-generation-match: 17   x-goog-if-generation-match: 0
//
// S3 has both since 2024. It may also answer 409 when two writes meet, or 404
// when the object was deleted; both mean: read again. Cloud Storage ignores
// tags in writes and counts generations, which its answers tell in
// x-goog-generation: take that for the tag, and the header in the table.
// Only strong tags match (RFC 9110 §13.1.1); a weak one is refused when it is
// read. Signing the requests is the business of the http.Client's transport.
package objectfence
