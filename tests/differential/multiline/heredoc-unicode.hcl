<<-ÉNDE
  é 😀
  e${"\u0301"}
ÉNDE
