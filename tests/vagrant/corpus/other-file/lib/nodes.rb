module Lab
  NODES = %w[red green]
end
