internal import SalvorDigest
package import SalvorMessages
internal import SwiftProtobuf

extension Salvor_V1_Recipe {
    /// Refuses a recipe that cannot mean one thing, before any disk is looked at.
    /// - Throws: ``AgentError/Code/invalidRequest``.
    package func validate() throws(AgentError) {
        guard putBackFrom.isEmpty else {
            guard rules.isEmpty else { throw .recipe(name, "has rules beside what is to be put back") }
            return
        }
        guard !rules.isEmpty else { throw .recipe(name, "has no rules") }
        guard Set(rules.map(\.id)).count == rules.count else { throw .recipe(name, "has two rules of one id") }
        guard requires.buildBefore == 0 || requires.buildFrom < requires.buildBefore else {
            throw .recipe(name, "is for no build")
        }
        for rule in rules { try rule.validate(recipe: name) }
    }
}

extension Salvor_V1_Rule {
    /// What this rule does about a verdict; nothing unless it says so.
    func action(on verdict: Salvor_V1_Verdict) -> Salvor_V1_VerdictAction {
        actions.first { $0.verdict == verdict } ?? .with { $0.action = .keep }
    }

    private static let mostBytes = 1 << 20

    fileprivate func validate(recipe: String) throws(AgentError) {
        guard !id.isEmpty else { throw .recipe(recipe, "has a rule without an id") }
        guard !folder.isEmpty, folder.allSatisfy(Self.isComponent) else {
            throw .recipe(recipe, "has no usable folder in rule \(id)")
        }
        guard Self.isComponent(namePattern) else { throw .recipe(recipe, "has no usable name pattern in rule \(id)") }
        guard judgement.header.count <= RuleMatcher.longestHeader else {
            throw .recipe(recipe, "asks for a header of more than \(RuleMatcher.longestHeader) bytes in rule \(id)")
        }
        guard (judgement.faultySha256 + judgement.correctedSha256).allSatisfy({ $0.count == Digest.byteCount }) else {
            throw .recipe(recipe, "has a SHA-256 that is not 32 bytes long in rule \(id)")
        }
        guard judgement.correctedFrom == 0 || judgement.faultyBefore <= judgement.correctedFrom else {
            throw .recipe(recipe, "takes one time for faulty and for corrected in rule \(id)")
        }
        guard judgement.maxBytes == 0 || judgement.minBytes <= judgement.maxBytes else {
            throw .recipe(recipe, "asks for at least more bytes than at most in rule \(id)")
        }
        guard Set(actions.map(\.verdict)).count == actions.count else {
            throw .recipe(recipe, "has two actions for one verdict in rule \(id)")
        }
        for entry in actions {
            switch (entry.verdict, entry.action) {
            case (.unspecified, _), (.UNRECOGNIZED, _), (_, .unspecified), (_, .UNRECOGNIZED):
                throw .recipe(recipe, "has a verdict or an action that this agent does not know in rule \(id)")
            case (.missing, .quarantineAndDelete), (.missing, .collect):
                throw .recipe(recipe, "takes a file that is missing in rule \(id)")
            case (_, .quarantineAndWrite) where entry.content.source == nil:
                throw .recipe(recipe, "does not say what is to be written in rule \(id)")
            default: break
            }
            if entry.verdict == .missing, namePattern.contains(where: { $0 == "*" || $0 == "?" }) {
                throw .recipe(recipe, "means a missing file by a pattern in rule \(id)")
            }
            switch entry.content.source {
            case .bytes(let bytes) where bytes.count > Self.mostBytes:
                throw .recipe(recipe, "has more than \(Self.mostBytes) bytes to write in rule \(id)")
            case .copyOf(let path) where path.components.isEmpty || !path.components.allSatisfy(Self.isComponent):
                throw .recipe(recipe, "has no usable file to copy in rule \(id)")
            default: continue
            }
        }
    }

    private static func isComponent(_ text: String) -> Bool {
        FileName(text) != nil && !text.utf8.contains(UInt8(ascii: "\\"))
    }
}

extension AgentError {
    fileprivate static func recipe(_ name: String, _ fault: String) -> AgentError {
        AgentError(
            .invalidRequest, "The recipe \(printable(name.utf8)) \(printable(fault.utf8)). No disk was touched.",
            next: "Correct the recipe.")
    }
}
