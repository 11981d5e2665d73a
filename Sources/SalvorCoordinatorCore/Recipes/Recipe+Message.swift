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
        message.rules = rules.map(\.message)
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
    fileprivate var message: Salvor_V1_Rule {
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
            return pair
        }
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
        }
    }
}

extension Recipe.Action {
    fileprivate var message: Salvor_V1_Action {
        switch self {
        case .keep: .keep
        case .quarantineAndDelete: .quarantineAndDelete
        }
    }
}
