/// The published checkpoints of flow matching and of average velocities. None of their figures was checked in a primary
/// source.
extension CheckpointRegistry {
    static let flows: [PublishedCheckpoint] = [
        flow("flowse-vb-dmd", "VoiceBank-DEMAND", "1PgzFSAu2t3BX8znNuPKNZdvaOSEXeo88"),
        flow("flowse-wsj0-chime3", "WSJ0-CHiME3", "187kNPdJUSj6TjVfeBqyTqEE19tPiTJVE"),
        PublishedCheckpoint(
            id: "meanflowse-vb-dmd", summary: "MeanFlowSE on VoiceBank-DEMAND, one step",
            address: .drive(
                id: "1QAxgd5BWrxiNi0q2qD3n1Xcv6bW0X86-", folder: "the README of github.com/liduojia1/MeanFlowSE"),
            backbone: "ncsnpp_interval", sde: "flow", sampleRate: 16000, sampler: "--N 1 --sampler mean_flow",
            reported: []),
    ]

    private static func flow(_ id: String, _ set: String, _ drive: String) -> PublishedCheckpoint {
        PublishedCheckpoint(
            id: id, summary: "FlowSE on \(set)",
            address: .drive(id: drive, folder: "the README of github.com/seongq/flowmse"), backbone: "ncsnpp",
            sde: "flow",
            sampleRate: 16000, sampler: "--N 5 --sampler ode_euler", reported: [])
    }
}

/// The published checkpoints of StoRM. Their figures are known from quotations in other papers only.
extension CheckpointRegistry {
    static let regenerations: [PublishedCheckpoint] = [
        ("storm-vb-dmd", "VoiceBank-DEMAND"), ("storm-wsj0-chime3", "WSJ0-CHiME3"),
        ("storm-wsj0-reverb", "WSJ0-REVERB"),
    ].map { id, set in
        PublishedCheckpoint(
            id: id, summary: "StoRM on \(set): a regression, and a diffusion behind it",
            address: .folder("https://drive.google.com/drive/folders/1ExFm97obaXTYFoBApWjbK_ypxTP-Cgdq"),
            backbone: "ncsnpp_storm",
            sde: "ouve", sampleRate: 16000,
            sampler:
                "--N 50 --sampler pc --predictor reverse_diffusion_share --corrector ald --corrector-steps 1 --snr 0.5",
            reported: [],
            remark:
                """
                the folder is that of the README of github.com/sp-uhh/storm; the file's own hyper-parameters say which \
                networks it holds
                """
        )
    }
}
