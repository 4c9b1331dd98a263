import Commands

SGMSE.run()
