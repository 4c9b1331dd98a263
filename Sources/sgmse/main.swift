import Commands

SGMSE.main()
