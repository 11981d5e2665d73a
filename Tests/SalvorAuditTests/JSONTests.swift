import Foundation
import SalvorAudit
import SalvorDigest
import SalvorJSON
import Testing

struct JSONTests {
    @Test("The JSON export is what the schema in Coordinator/report says, whatever the names in it")
    func schema() throws {
        let schema = try decode(JSONValue.self, from: bytes(ofFile: schemaPath))
        let run = try SampleRun()
        for event in Samples.everyKind { try run.add(event, machine: "every", host: "rescue-9") }
        for event in Samples.everyKind { try run.add(event) }
        try run.rescueFleet()
        try hostileMachines(run)
        let report = try decode(JSONValue.self, from: run.report().json().utf8)
        #expect(try SchemaChecker(root: schema).faults(in: report).isEmpty)
    }

    @Test("The schema refuses what is no report, so that the test above can fail")
    func schemaRefuses() throws {
        let schema = SchemaChecker(root: try decode(JSONValue.self, from: bytes(ofFile: schemaPath)))
        let run = try SampleRun()
        try run.rescueFleet()
        guard case .object(let report) = try decode(JSONValue.self, from: run.report().json().utf8) else {
            Issue.record("not an object")
            return
        }
        #expect(try schema.faults(in: .object(report)).isEmpty)
        for key in ["run", "log", "machines"] {
            var bad = report
            bad[key] = nil
            #expect(try schema.faults(in: .object(bad)) == ["$: no \(key)"])
        }
        var bad = report
        bad["madeAt"] = .string("yesterday")
        bad["state"] = .string("fine")
        bad["extra"] = .null
        bad["exitCode"] = .string("0")
        #expect(
            try Set(schema.faults(in: .object(bad))) == [
                "$.madeAt: not of the pattern", "$.state: not of the enumeration", "$.extra: not in the schema",
                "$.exitCode: not integer",
            ])
    }

    @Test("The JSON export reads back as the same report, with every string raw")
    func roundTrip() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        try hostileMachines(run)
        let report = try run.report()
        let json = try report.json()
        #expect(try decode(Report.self, from: json.utf8) == report)
        #expect(json.utf8.allSatisfy { (0x20...0x7E).contains($0) || $0 == UInt8(ascii: "\n") })
        #expect(json.contains(#""schemaVersion" : 1"#))
        let names = try decode(Report.self, from: json.utf8).machines.map { Array($0.name.utf8) }
        #expect(names == (SampleRun.machines + Hostile.all).map { Array($0.utf8) })
    }

    @Test("Python's json reads what we wrote", .enabled(if: has("/usr/bin/python3"), "needs python3"))
    func independentReader() throws {
        let run = try SampleRun()
        try run.rescueFleet()
        let path = run.folder.path + "/report.json"
        try write(try run.report().json().utf8, to: path)
        let script = """
            import json, sys
            report = json.load(open(sys.argv[1], encoding='ascii'))
            file = report['machines'][0]['files'][0]
            print(report['log']['isSound'], file['verdict'], '\\\\'.join(file['path']), file['sizeBytes'])
            """
        #expect(
            try run_(script, path)
                == #"True faulty Windows\System32\drivers\CrowdStrike\C-00000291-00000000-00000032.sys 41984"# + "\n")
    }

    private func run_(_ script: String, _ path: String) throws -> String {
        try run("/usr/bin/python3", ["-c", script, path])
    }

    private let schemaPath =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Coordinator/report/report.schema.json").path
}

func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
    try JSONDecoder().decode(type, from: Data(Array(bytes)))
}

/// As much of JSON Schema as our schema uses; a keyword that it does not know is a fault of the schema.
struct SchemaChecker {
    let root: JSONValue

    struct UnknownKeyword: Error {
        let keyword: String
    }

    func faults(in value: JSONValue) throws -> [String] { try faults(in: value, by: root, at: "$") }

    private func faults(in value: JSONValue, by schema: JSONValue, at place: String) throws -> [String] {
        guard case .object(let rules) = schema else { throw UnknownKeyword(keyword: "\(schema)") }
        var found: [String] = []
        for (keyword, rule) in rules {
            switch (keyword, rule) {
            case ("$schema", _), ("title", _), ("description", _), ("$defs", _), ("examples", _), ("properties", _):
                continue
            case ("$ref", .string(let reference)):
                found += try faults(in: value, by: definition(reference), at: place)
            case ("type", .string(let type)):
                if !Self.has(value, type) { found.append("\(place): not \(type)") }
            case ("const", _):
                if value != rule { found.append("\(place): not the constant") }
            case ("enum", .array(let values)):
                if !values.contains(value) { found.append("\(place): not of the enumeration") }
            case ("minimum", .integer(let least)):
                if case .integer(let number) = value, number < least { found.append("\(place): too small") }
            case ("pattern", .string(let pattern)):
                if case .string(let text) = value, try Regex(pattern).firstMatch(in: text) == nil {
                    found.append("\(place): not of the pattern")
                }
            case ("required", .array(let keys)):
                guard case .object(let members) = value else { continue }
                for case .string(let key) in keys where members[key] == nil { found.append("\(place): no \(key)") }
            case ("items", _):
                guard case .array(let items) = value else { continue }
                for (index, item) in items.enumerated() {
                    found += try faults(in: item, by: rule, at: "\(place)[\(index)]")
                }
            case ("additionalProperties", _): found += try others(in: value, rules: rules, at: place)
            default: throw UnknownKeyword(keyword: keyword)
            }
        }
        return found
    }

    /// `properties` and `additionalProperties`.
    private func others(in value: JSONValue, rules: [String: JSONValue], at place: String) throws -> [String] {
        guard case .object(let members) = value else { return [] }
        var known: [String: JSONValue] = [:]
        if case .object(let properties)? = rules["properties"] { known = properties }
        var found: [String] = []
        for (key, member) in members {
            if let rule = known[key] {
                found += try faults(in: member, by: rule, at: "\(place).\(key)")
            } else if case .object? = rules["additionalProperties"], let rule = rules["additionalProperties"] {
                found += try faults(in: member, by: rule, at: "\(place).\(key)")
            } else {
                found.append("\(place).\(key): not in the schema")
            }
        }
        return found
    }

    private func definition(_ reference: String) throws -> JSONValue {
        guard case .object(let schema) = root, case .object(let definitions)? = schema["$defs"],
            let definition = definitions[String(reference.dropFirst("#/$defs/".count))]
        else { throw UnknownKeyword(keyword: reference) }
        return definition
    }

    private static func has(_ value: JSONValue, _ type: String) -> Bool {
        switch value {
        case .object: type == "object"
        case .array: type == "array"
        case .string: type == "string"
        case .bool: type == "boolean"
        case .integer, .unsigned: type == "integer" || type == "number"
        case .number: type == "number"
        case .null: type == "null"
        }
    }
}
