internal import Foundation
internal import SalvorAudit
internal import SalvorDigest
package import SalvorMessages

extension Recipe {
    /// As it travels to the agent: recipe.proto.
    package var message: Salvor_V1_Recipe {
        var message = Salvor_V1_Recipe()
        message.name = name
        message.version = version
        message.rules = rules.map { $0.message(granted) }
        message.requires.buildFrom = requires.buildFrom ?? 0
        message.requires.buildBefore = requires.buildBefore ?? 0
        message.requires.falcon = requires.falcon
        message.volumePolicy.resetLog = volume.resetsLog
        message.volumePolicy.repairDirty = volume.repairsDirty
        message.volumePolicy.discardHibernation = volume.discardsHibernation && granted.contains(.discardHibernation)
        return message
    }
}

extension Recipe.Rule {
    fileprivate func message(_ granted: Set<Recipe.Consent>) -> Salvor_V1_Rule {
        var message = Salvor_V1_Rule()
        message.id = id
        message.folder = folder
        message.namePattern = namePattern
        message.judgement = judgement.message
        message.actions = Recipe.Verdict.allCases.compactMap { verdict in
            guard let action = actions[verdict] else { return nil }
            var pair = Salvor_V1_VerdictAction()
            pair.verdict = verdict.message
            pair.action = action.message
            if let content = action.content(granted) { pair.content = content }
            return pair
        }
        message.volumes = volumes == .boot ? .boot : .windows
        return message
    }
}

extension Recipe.Judgement {
    fileprivate var message: Salvor_V1_Judgement {
        var message = Salvor_V1_Judgement()
        message.everyFile = everyFile
        message.minBytes = minimumBytes ?? 0
        message.maxBytes = maximumBytes ?? 0
        message.header = Data(header)
        message.faultyFrom = faultyFrom?.intervals ?? 0
        message.faultyBefore = faultyBefore?.intervals ?? 0
        message.correctedFrom = correctedFrom?.intervals ?? 0
        message.faultySha256 = faultySHA256.map { Data($0.bytes) }
        message.correctedSha256 = correctedSHA256.map { Data($0.bytes) }
        return message
    }
}

extension Recipe.Verdict {
    fileprivate var message: Salvor_V1_Verdict {
        switch self {
        case .faulty: .faulty
        case .corrected: .corrected
        case .zeroed: .zeroed
        case .unknown: .unknown
        case .missing: .missing
        }
    }
}

extension Recipe.Action {
    fileprivate var message: Salvor_V1_Action {
        switch self {
        case .keep: .keep
        case .quarantineAndDelete: .quarantineAndDelete
        case .collect: .collect
        case .write, .restore, .repairHive, .registry, .safeBoot: .quarantineAndWrite
        }
    }

    fileprivate func content(_ granted: Set<Recipe.Consent>) -> Salvor_V1_NewContent? {
        var content = Salvor_V1_NewContent()
        switch self {
        case .keep, .quarantineAndDelete, .collect: return nil
        case .write(let bytes): content.bytes = Data(bytes)
        case .restore(let path): content.copyOf.components = path
        case .repairHive: content.repairedHive.fromBackup = granted.contains(.olderRegistry)
        case .registry(let changes): content.editedHive.changes = changes.map(\.message)
        case .safeBoot(let mode): content.safeBoot = mode.message
        }
        return content
    }
}

extension Recipe.SafeBoot {
    fileprivate var message: Salvor_V1_SafeBoot {
        switch self {
        case .off: .off
        case .minimal: .minimal
        case .network: .network
        }
    }
}

extension Recipe.ValueChange {
    fileprivate var message: Salvor_V1_ValueChange {
        var message = Salvor_V1_ValueChange()
        message.key = key
        message.name = name
        switch value {
        case nil: message.delete = true
        case .text(let text): message.text = text
        case .expandableText(let text): message.expandableText = text
        case .texts(let texts): message.texts.texts = texts
        case .number(let number): message.number = number
        case .longNumber(let number): message.longNumber = number
        case .binary(let bytes): message.binary = Data(bytes)
        }
        return message
    }
}
