"""What a machine is asked, once, before it is judged: read only, standard library only, sent over SSH as it is."""
