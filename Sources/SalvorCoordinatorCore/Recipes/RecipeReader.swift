internal import Foundation
internal import SalvorAudit
internal import SalvorDigest

/// Reads recipes from YAML. What it accepts is written out in Coordinator/recipes/crowdstrike-291.yaml.
package enum RecipeReader {
    /// The form of recipe that this Salvor reads: the value of the key `schema`.
    package static let schema = 1
    /// Far above any recipe, far below what hurts.
    private static let byteLimit = 1 << 20

    package static func read(path: String) throws(CoordinatorError) -> Recipe {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw CoordinatorError(
                .invalidRecipe, "The recipe \(printable(path)) cannot be read.",
                nextStep: "Check the path and its rights. Nothing was changed.", cause: error)
        }
        do throws(YAMLMistake) {
            return try read(bytes: [UInt8](data), file: path)
        } catch {
            throw CoordinatorError(recipe: error)
        }
    }

    /// - Parameter file: its name, for messages.
    package static func read(bytes: [UInt8], file: String) throws(YAMLMistake) -> Recipe {
        guard bytes.count <= byteLimit else {
            throw YAMLMistake(
                file: file, line: 1, column: 1, found: "\(bytes.count) bytes", expected: "at most \(byteLimit)")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw YAMLMistake(file: file, line: 1, column: 1, found: "bytes that are not UTF-8", expected: "UTF-8")
        }
        return try recipe(YAMLValue(text: text, file: file, of: "a recipe"), sha256: SHA256.digest(of: bytes))
    }

    private static func recipe(_ root: YAMLValue, sha256: Digest) throws(YAMLMistake) -> Recipe {
        let what = "a recipe"
        let fields = try root.fields(
            ["schema", "name", "version", "description", "requires", "consent", "rules", "volume"], of: what)
        let schemaValue = try root.required("schema", in: fields, of: what)
        let expected = "the schema that this Salvor reads, \(schema)"
        guard try schemaValue.text(expected) == String(schema) else {
            throw schemaValue.mistake(found: schemaValue.shown, expected: expected)
        }
        let rulesValue = try root.required("rules", in: fields, of: what)
        var rules: [Recipe.Rule] = []
        for value in try rulesValue.list("a list of rules") {
            let rule = try RuleReader.rule(value)
            guard !rules.contains(where: { $0.id == rule.id }) else {
                throw value.mistake(found: "a second rule with the id “\(rule.id)”", expected: "each id once")
            }
            rules.append(rule)
        }
        guard !rules.isEmpty else { throw rulesValue.mistake(found: "no rule", expected: "at least one rule") }
        var recipe = Recipe(
            name: try identifier(root.required("name", in: fields, of: what)),
            version: try positiveNumber(root.required("version", in: fields, of: what)),
            rules: rules,
            volume: try volumePolicy(fields["volume"]),
            requires: try requirements(fields["requires"]),
            description: try fields["description"]?.text("a sentence on what the recipe does") ?? "",
            sha256: sha256)
        recipe.ownConsents = try consents(fields["consent"])
        return recipe
    }

    private static func consents(_ value: YAMLValue?) throws(YAMLMistake) -> [String: String] {
        var consents: [String: String] = [:]
        for entry in try value?.list("a list of what the operator has to agree to") ?? [] {
            let what = "a consent"
            let fields = try entry.fields(["name", "loss"], of: what)
            let name = try identifier(entry.required("name", in: fields, of: what))
            guard consents[name] == nil, Recipe.Consent(rawValue: name) == nil else {
                throw entry.mistake(found: "the name “\(name)”", expected: "a name that nothing else has")
            }
            consents[name] = try entry.required("loss", in: fields, of: what).text("what is lost, in a sentence")
        }
        return consents
    }

    private static func requirements(_ value: YAMLValue?) throws(YAMLMistake) -> Recipe.Requirements {
        var requirements = Recipe.Requirements()
        guard let value else { return requirements }
        let fields = try value.fields(["build", "falcon"], of: "requires")
        if let build = fields["build"] {
            let bounds = try build.fields(["from", "before"], of: "build")
            requirements.buildFrom = try bounds["from"].map(positiveNumber)
            requirements.buildBefore = try bounds["before"].map(positiveNumber)
            if let from = requirements.buildFrom, let before = requirements.buildBefore, from >= before {
                throw (bounds["before"] ?? build).mistake(found: "\(before)", expected: "a build after \(from)")
            }
        }
        requirements.falcon = try flag(fields["falcon"])
        return requirements
    }

    private static func volumePolicy(_ value: YAMLValue?) throws(YAMLMistake) -> Recipe.VolumePolicy {
        var policy = Recipe.VolumePolicy()
        guard let fields = try value?.fields(["reset_log", "repair_dirty", "discard_hibernation"], of: "volume") else {
            return policy
        }
        policy.resetsLog = try flag(fields["reset_log"])
        policy.repairsDirty = try flag(fields["repair_dirty"])
        policy.discardsHibernation = try flag(fields["discard_hibernation"])
        return policy
    }

    static func flag(_ value: YAMLValue?) throws(YAMLMistake) -> Bool {
        guard let value else { return false }
        switch try value.text("true or false") {
        case "true": return true
        case "false": return false
        default: throw value.mistake(found: value.shown, expected: "true or false")
        }
    }

    private static func positiveNumber(_ value: YAMLValue) throws(YAMLMistake) -> UInt32 {
        let expected = "a whole number from 1 on"
        guard let number = UInt32(try value.text(expected)), number > 0 else {
            throw value.mistake(found: value.shown, expected: expected)
        }
        return number
    }

    /// [a-z0-9-], 1 to 64 characters, as the agent's quarantine and the report use it.
    static func identifier(_ value: YAMLValue) throws(YAMLMistake) -> String {
        let expected = "a name of 1 to 64 lower-case letters, digits and hyphens"
        let text = try value.text(expected)
        let isFine =
            text.utf8.count <= 64
            && text.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
            }
        guard isFine else { throw value.mistake(found: value.shown, expected: expected) }
        return text
    }
}
