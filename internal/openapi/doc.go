// Package openapi holds no code: its tests judge the OpenAPI document of package
// httpapi by the rules of others. They check it against the schema that the
// OpenAPI Initiative publishes, each schema in it against the meta-schema of
// JSON Schema, and what a running node answers against those schemas, with a
// whole implementation of JSON Schema. The tests of httpapi, which compare
// every answer with the document, know a part of JSON Schema only.
//
// The validator and the published schema are too heavy for the root module, so
// this is one of its own.
package openapi
